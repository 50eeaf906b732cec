"""What a change puts at risk: in a protected project it waits until somebody applies it by its hash."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from engine.graph import Call, Export, Extract, Import

if TYPE_CHECKING:
    from engine.app.check import Checked
    from engine.project import Connection, Table

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
"""Fields of a connection that decide who is reached and what may be done there."""


def risks_of(before: Checked, after: Checked) -> tuple[str, ...]:
    """In words, what is risky about going from one to the other; nothing for changes that only read or compute."""
    found = [*_connections(before, after), *_tables(before, after), *_interfaces(before, after)]
    if before.project.settings.policy != after.project.settings.policy:
        found.append("weir.yaml: `policy` is another one")
    return tuple(found)


def _connections(before: Checked, after: Checked) -> Iterator[str]:
    old, new = before.project.connections, after.project.connections
    for name, connection in old.items():
        if name not in new:
            yield f"connection `{name}` is gone"
            continue
        yield from _fields(connection, new[name])
    yield from (f"connection `{name}` is new and a target" for name in new if name not in old and _is_target(new[name]))


def _fields(old: Connection, new: Connection) -> Iterator[str]:
    for field in _OF_CONNECTIONS:
        if getattr(old.spec, field) != getattr(new.spec, field):
            yield f"connection `{new.name}`: `{field}` is another one"


def _is_target(connection: Connection) -> bool:
    return connection.spec.is_target


def _tables(before: Checked, after: Checked) -> Iterator[str]:
    new = after.project.tables
    for name, table in before.project.tables.items():
        if name not in new:
            yield f"table `{name}` is gone"
        else:
            yield from _columns(table, new[name])


def _columns(old: Table, new: Table) -> Iterator[str]:
    if old.key != new.key:
        yield f"table `{new.name}`: its key is another one"
    for column in old.relation:
        found = new.relation.find(column.name)
        if found is None:
            yield f"table `{new.name}`: column `{column.name}` is gone"
        elif found.type != column.type:
            yield f"table `{new.name}`: column `{column.name}` is {found.type}, it was {column.type}"


def _interfaces(before: Checked, after: Checked) -> Iterator[str]:
    yield from (
        f"interface `{name}` is gone" for name in before.project.interfaces if name not in after.project.interfaces
    )
    old, new = _writes(before), _writes(after)
    for step, meaning in new.items():
        if step not in old:
            if meaning[0] in ("export", "call"):
                yield f"`{step}` writes to a provider, and is new"
        elif meaning != old[step]:
            yield f"`{step}` writes in another way"


def _writes(checked: Checked) -> dict[str, tuple[object, ...]]:
    """By step, how it writes: what decides which rows or objects are made, changed and taken away."""
    found: dict[str, tuple[object, ...]] = {}
    for step in checked.graph.steps:
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
