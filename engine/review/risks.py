"""The risks of a change. A protected project activates a risky change only when it is applied by its hash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from engine.graph import Call, Export, Extract, Graph, Import
from engine.project import Connection, Project, SchemaTable

from .types import Kind

_OF_CONNECTIONS: Final = (
    "connector",
    "client_secret",
    "accounts",
    "mode",
    "base_url",
    "agent",
    "api_version",
    "is_target",
    "grants",
)
"""Fields of a connection that determine which system it reaches and what it may do there."""


@dataclass(frozen=True, slots=True)
class Risk:
    """A sentence, and the definition that it is about."""

    kind: Kind
    name: str
    text: str


def risks_of(before: tuple[Project, Graph], after: tuple[Project, Graph]) -> tuple[Risk, ...]:
    """The risks of the change from `before` to `after`. Changes that only read or compute have none."""
    old, new = before[0], after[0]
    found = [*_connections(old, new), *_tables(old, new), *_interfaces(old, new), *_steps(before[1], after[1])]
    if old.settings.policy != new.settings.policy:
        found.append(Risk("settings", "weir.yaml", "weir.yaml: `policy` changed"))
    return tuple(found)


def _connections(before: Project, after: Project) -> Iterator[Risk]:
    old, new = before.connections, after.connections
    for name, connection in old.items():
        if name not in new:
            yield Risk("connection", name, f"connection `{name}` removed")
            continue
        yield from _fields(connection, new[name])
    for name, connection in new.items():
        if name not in old and connection.spec.is_target:
            yield Risk("connection", name, f"connection `{name}` added as a target")


def _fields(old: Connection, new: Connection) -> Iterator[Risk]:
    for field in _OF_CONNECTIONS:
        if getattr(old.spec, field) != getattr(new.spec, field):
            yield Risk("connection", new.name, f"connection `{new.name}`: `{field}` changed")


def _tables(before: Project, after: Project) -> Iterator[Risk]:
    for name, table in before.tables.items():
        if name not in after.tables:
            yield Risk("table", name, f"table `{name}` removed")
        else:
            yield from (Risk("table", name, f"table `{name}`: {text}") for text in _columns(table, after.tables[name]))


def _columns(old: SchemaTable, new: SchemaTable) -> Iterator[str]:
    if old.key != new.key:
        yield "key changed"
    for column in old.relation:
        found = new.relation.find(column.name)
        if found is None:
            yield f"column `{column.name}` removed"
        elif found.type != column.type:
            yield f"column `{column.name}` changed from {column.type} to {found.type}"


def _interfaces(before: Project, after: Project) -> Iterator[Risk]:
    for name in before.interfaces:
        if name not in after.interfaces:
            yield Risk("interface", name, f"interface `{name}` removed")


def _steps(before: Graph, after: Graph) -> Iterator[Risk]:
    old, new = _writes(before), _writes(after)
    for step, meaning in new.items():
        interface = step.partition(".")[0]
        if step not in old:
            if meaning[0] in ("export", "call"):
                yield Risk("interface", interface, f"`{step}` added; it writes to a provider")
        elif meaning != old[step]:
            yield Risk("interface", interface, f"`{step}` changed how it writes")


def _writes(graph: Graph) -> dict[str, tuple[object, ...]]:
    """By step, everything that determines which rows or objects it creates, changes and deletes."""
    found: dict[str, tuple[object, ...]] = {}
    for step in graph.steps:
        match step:
            case Import():
                found[step.id] = ("import", step.into, step.action, step.match)
            case Export():
                columns = tuple(sorted(column.path for column in step.columns))
                found[step.id] = (
                    "export",
                    step.connection,
                    step.entity,
                    step.action,
                    step.match,
                    columns,
                    step.on_missing,
                    step.caps,
                )
            case Call():
                found[step.id] = ("call", step.connection, step.function, step.key, step.caps)
            case Extract() | _:
                continue
    return found
