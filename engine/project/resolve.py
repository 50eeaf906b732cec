"""Links every name to the definition that it names."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from engine.connector import Connector
from engine.connector.sandbox import SANDBOX
from engine.diagnostics import Collector, Fix, Label, Place, closest, did_you_mean
from engine.relation import Column, Relation
from engine.source import SourceTree
from engine.spec import (
    BoxSpec,
    CallSpec,
    ConnectionSpec,
    Defined,
    ExportSpec,
    ImportSpec,
    InterfaceSpec,
    SchemaSpec,
    SpecSet,
    StepSpec,
    TransformSpec,
)

from .types import BoxText, Connection, Interface, Project, ResolvedStep, SchemaTable
from .unused import report_unused

RESERVED_NAMES: Final = frozenset(
    {"schema", "changed", "weir", "main", "memory", "temp", "system", "information_schema", "pg_catalog"}
)
"""Namespaces that SQL boxes already have: the Schema's, those of every mirror, and DuckDB's own catalogues."""


def resolve_specs(
    specs: SpecSet, tree: SourceTree, connectors: Mapping[str, Connector], collector: Collector
) -> Project:
    """The project. Unknown names are reported at their place."""
    connections = {
        item.spec.name: Connection(item.spec, item.place) for item in _distinct(specs.connections, collector)
    }
    for connection in connections.values():
        _check_connection(connection, specs, connectors, collector)
    tables = {item.spec.name: _table(item) for item in _distinct(specs.schemas, collector)}
    broken = specs.broken | _duplicates(specs)
    names = _Names(
        {name: each for name, each in connections.items() if ("connection", name) not in broken},
        {name: each for name, each in tables.items() if ("schema", name) not in broken},
        broken,
        tree,
        collector,
    )
    interfaces = {
        item.spec.name: Interface(item.spec, item.place, tuple(names.steps(item)))
        for item in _distinct(specs.interfaces, collector)
    }
    project = Project(
        dict(sorted(connections.items())),
        dict(sorted(interfaces.items())),
        dict(sorted(tables.items())),
        specs.settings,
    )
    # A broken definition may use one that appears to be unused.
    if not broken and not any(step.broken for each in interfaces.values() for step in each.steps):
        report_unused(project, tree, collector)
    return project


S = TypeVar("S", ConnectionSpec, InterfaceSpec, SchemaSpec)


def _distinct(items: Iterable[Defined[S]], collector: Collector) -> list[Defined[S]]:
    """The first definition of each name; the others are reported."""
    first: dict[str, Defined[S]] = {}
    for item in items:
        name = item.spec.name
        if name in first:
            labels = [Label(first[name].place.at("name"), "first defined here")]
            message = f"duplicate {item.spec.kind} `{name}`"
            collector.report("E303", message, item.place.at("name"), labels=labels, hint="rename one of them")
        else:
            first[name] = item
    return list(first.values())


def _duplicates(specs: SpecSet) -> set[tuple[str, str]]:
    """(kind, name) of definitions with the same name: a reference to one is ambiguous."""
    written = [("connection", item.spec.name) for item in specs.connections]
    written += [("interface", item.spec.name) for item in specs.interfaces]
    written += [("schema", item.spec.name) for item in specs.schemas]
    return {each for each in written if written.count(each) > 1}


def _table(item: Defined[SchemaSpec]) -> SchemaTable:
    columns = tuple(
        Column(name, column.column_type, column.required or name in item.spec.key, column.description or "")
        for name, column in item.spec.columns.items()
    )
    defaults = {name: column.default for name, column in item.spec.columns.items() if column.default is not None}
    return SchemaTable(item.spec, item.place, Relation(columns), defaults)


def _check_connection(
    connection: Connection, specs: SpecSet, connectors: Mapping[str, Connector], collector: Collector
) -> None:
    spec, place = connection.spec, connection.place
    if spec.name in RESERVED_NAMES:
        hint = "rename it: SQL boxes reserve this name"
        collector.report("E312", f"a connection cannot be named `{spec.name}`", place.at("name"), hint=hint)
    connector = connectors.get(spec.connector)
    if connector is None:
        hint = did_you_mean(spec.connector, connectors) or f"installed: {', '.join(f'`{name}`' for name in connectors)}"
        collector.report("E306", f"no connector `{spec.connector}`", place.at("connector"), hint=hint)
    else:
        for name in sorted(connector.unused_fields):
            if getattr(spec, name, None) is not None:
                message = f"`{name}` has no effect for the connector `{connector.name}`"
                collector.report("W304", message, place.key(name), hint="delete the line")
        if spec.base_url == SANDBOX and not connector.has_sandbox:
            message = f"the embedded sandbox does not simulate `{connector.name}`"
            hint = "delete the line, or write the address of a test server"
            collector.report("E215", message, place.at("base_url"), hint=hint)
        _check_version(connector, connection, collector)
        _check_tables(connector, connection, collector)
    agents = ("local", *specs.settings.agents)
    if spec.agent not in agents:
        hint = did_you_mean(spec.agent, agents) or "add it to `agents:` in weir.yaml, or use `local`"
        collector.report("E307", f"no agent `{spec.agent}`", place.at("agent"), hint=hint)


def _check_version(connector: Connector, connection: Connection, collector: Collector) -> None:
    version = connection.spec.api_version
    if version is None:
        return
    try:
        connector.catalogue(version)
    except KeyError:
        known = connector.catalogue(None).api_version
        place = connection.place.at("api_version")
        fixes = [Fix(f"write `{known}`", place, f'"{known}"')]
        message = f"`{connector.name}` has no catalogue for the API version `{version}`"
        hint = f"delete the line, or use `{known}`"
        collector.report("E311", message, place, hint=hint, fixes=fixes)


def _check_tables(connector: Connector, connection: Connection, collector: Collector) -> None:
    """Report settings of tables that the connector does not have."""
    spec = connection.spec
    written = [(name, connection.place.key("reread", name)) for name in spec.reread]
    written += [(name, connection.place.at("optional", index)) for index, name in enumerate(spec.optional)]
    if not written:
        return
    known = connector.catalogue(None).tables
    for name, place in written:
        if name not in known:
            near = closest(name, known, 1)
            fixes = [Fix(f"write `{near[0]}`", place, near[0])] if near else []
            hint = did_you_mean(name, known) or f"use `weir catalog` to list the tables of `{connector.name}`"
            collector.report("E313", f"`{connector.name}` has no table `{name}`", place, hint=hint, fixes=fixes)


@dataclass(slots=True)
class _Names:
    """Looks names up for the steps of interfaces."""

    connections: Mapping[str, Connection]
    tables: Mapping[str, SchemaTable]
    broken: frozenset[tuple[str, str]]
    tree: SourceTree
    collector: Collector

    def steps(self, item: Defined[InterfaceSpec]) -> Iterable[ResolvedStep]:
        """The steps of an interface, linked."""
        for index, step in enumerate(item.spec.steps):
            place = item.place.at("steps", index, step.kind)
            yield self._step(item, index, step, place)

    def _step(self, item: Defined[InterfaceSpec], index: int, step: StepSpec, place: Place) -> ResolvedStep:
        connection: Connection | None = None
        table: SchemaTable | None = None
        source: SchemaTable | None = None
        found = True
        part = step.part(step.kind)
        match part:
            case ImportSpec():
                connection = self._connection(part.connection, place, "source")
                table = self._table(part.into, place.at("into"))
                found = connection is not None and table is not None
            case TransformSpec():
                table = self._table(part.into, place.at("into"))
                found = table is not None
            case ExportSpec():
                connection = self._connection(part.connection, place, "target")
                source = self._table(part.source, place.at("from")) if part.source else None
                found = connection is not None and (source is not None or part.source is None)
            case CallSpec():
                connection = self._connection(part.connection, place, "target")
                table = self._table(part.into, place.at("into")) if part.into else None
                found = connection is not None and (table is not None or part.into is None)
            case _:
                pass
        box = self._box(part, place, item.place.file, connection)
        if isinstance(part, BoxSpec) and part.sql_file and box is None:
            found = False
        if isinstance(part, ImportSpec) and connection is not None and box is None and not part.sql_file:
            message = f"no SQL box in this step or in `{connection.name}`"
            self.collector.report("E310", message, place, hint="add `sql` or `sql_file` to the step")
            found = False
        name = item.spec.step_name(index)
        return ResolvedStep(index, name, step, place, connection, table, source, box, not found)

    def _connection(self, name: str, step: Place, role: str) -> Connection | None:
        place = step.at("connection")
        connection = self.connections.get(name)
        if connection is None:
            if ("connection", name) not in self.broken:
                self._unknown("E301", "connection", name, self.connections, place)
            return None
        allowed = connection.spec.is_source if role == "source" else connection.spec.is_target
        if not allowed:
            code, verb = ("E304", "read") if role == "source" else ("E305", "written to")
            here = (
                connection.place.at(f"is_{role}")
                if f"is_{role}" in connection.spec.model_fields_set
                else connection.place
            )
            self.collector.report(
                code,
                f"`{name}` is not a {role} and cannot be {verb}",
                place,
                hint=f"if intended, set `is_{role}: true` in {connection.place.file}",
                labels=[Label(here, f"`is_{role}` is not true here")],
            )
            return None
        if not connection.spec.is_active:
            message = f"`{name}` is inactive: this step is skipped"
            labels = [Label(connection.place.at("is_active"), "deactivated here")]
            self.collector.report("W301", message, place, labels=labels)
        return connection

    def _table(self, name: str, place: Place) -> SchemaTable | None:
        table = self.tables.get(name)
        if table is None and ("schema", name) not in self.broken:
            self._unknown("E302", "table", name, self.tables, place)
        return table

    def _unknown(self, code: str, noun: str, name: str, known: Mapping[str, object], place: Place) -> None:
        near = closest(name, known, 1)
        fixes = [Fix(f"write `{near[0]}`", place, near[0])] if near else []
        folder = {"connection": "connections", "table": "schemas"}[noun]
        hint = did_you_mean(name, known) or f"define it in {folder}/{name}.yaml"
        self.collector.report(code, f"no {noun} `{name}`", place, hint=hint, fixes=fixes)

    def _box(self, part: object, place: Place, file: str, connection: Connection | None) -> BoxText | None:
        if isinstance(part, str):
            return BoxText(part, place)
        if not isinstance(part, BoxSpec):
            return None
        if part.sql is not None:
            return BoxText(part.sql, place.at("sql"))
        if part.sql_file is not None:
            return self._sql_file(part.sql_file, place.at("sql_file"), file)
        if isinstance(part, ImportSpec) and connection is not None:
            return connection.box
        return None

    def _sql_file(self, name: str, place: Place, file: str) -> BoxText | None:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(file), name))
        text = self.tree.texts.get(path)
        if text is not None:
            return BoxText(text, Place(path, on="text"))
        if path not in self.tree.unread:
            folder = posixpath.dirname(file)
            known = [posixpath.relpath(other, folder) for other in self.tree.texts]
            hint = did_you_mean(name, known) or f"create {path}"
            self.collector.report("E309", f"no file `{path}`", place, hint=hint)
        return None
