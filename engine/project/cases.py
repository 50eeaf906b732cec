"""Test cases, linked: each table, column, step and parameter that they name exists, and each value fits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from engine.connector import Connector, SourceTable
from engine.diagnostics import Collector, Fix, Label, Place, closest, did_you_mean
from engine.relation import Relation
from engine.source import SourceTree, plain
from engine.spec import CaseSpec, Defined, ExpectedWriteSpec, SpecSet, SuiteSpec

from .case_rows import check_rows, fitting_rows, page_rows
from .types import Interface, Project, SchemaTable

SCHEMA: Final = "schema"
"""The name of the Schema's tables in a test case; it is reserved, so no connection has it."""

_WRITING: Final = frozenset({"export", "call"})
_REJECTING: Final = frozenset({"import", "transform", "export", "call"})

Rows = tuple[Mapping[str, str | None], ...]
"""Rows of a table: each value as text that DuckDB casts to its column's type. Columns that are not named are absent."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected output of a run; `None` and absent tables or steps are not compared."""

    tables: Mapping[str, Rows]
    writes: Mapping[str, tuple[ExpectedWriteSpec, ...]]
    respond: Rows | None
    rejects: Mapping[str, int]
    fails: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """A test case of an interface. `sources` are rows as in pages of the provider, by connection and table; `tables`
    are the rows of the Schema's tables before the run; `parameters` are text, as on a command line."""

    interface: str
    name: str
    place: Place
    parameters: Mapping[str, str]
    sources: Mapping[str, Mapping[str, tuple[Mapping[str, Any], ...]]]
    tables: Mapping[str, Rows]
    expected: Expected

    @property
    def label(self) -> str:
        """The name of the test case with its interface: `payments::a refund counts`."""
        return f"{self.interface}::{self.name}"


def resolve_cases(
    suites: Sequence[Defined[SuiteSpec]],
    specs: SpecSet,
    project: Project,
    tree: SourceTree,
    connectors: Mapping[str, Connector],
    answers: Mapping[str, Relation],
    collector: Collector,
) -> tuple[Case, ...]:
    """The valid test cases, in order of file. `answers` are the columns that interfaces respond with."""
    linker = _Linker(specs.broken, project, connectors, answers, collector)
    found: list[Case] = []
    named: dict[tuple[str, str], Place] = {}
    for suite in suites:
        interface = linker.interface(suite)
        root = tree.cases[suite.place.file].root
        if interface is None or root is None:
            continue
        # Rows are data: all of their keys count, including those that start with `x-`.
        written: Any = plain(root)
        for index, spec in enumerate(suite.spec.cases):
            place = suite.place.at("cases", index)
            first = named.setdefault((interface.name, spec.name), place.at("name"))
            if first != place.at("name"):
                message = f"duplicate test case `{spec.name}` of `{interface.name}`"
                labels = [Label(first, "first defined here")]
                collector.report("E320", message, place.at("name"), labels=labels, hint="rename one of them")
            before = len(collector)
            case = linker.case(interface, spec, written["cases"][index], place)
            if len(collector) == before:
                found.append(case)
    return tuple(found)


def interface_of(suite: Defined[SuiteSpec]) -> str:
    """The name of the interface of a file with test cases."""
    return suite.spec.interface or suite.place.file.rsplit("/", 1)[-1].rsplit(".", 2)[0]


@dataclass(frozen=True, slots=True)
class _Linker:
    """Looks up the names in test cases."""

    broken: frozenset[tuple[str, str]]
    project: Project
    connectors: Mapping[str, Connector]
    answers: Mapping[str, Relation]
    collector: Collector

    def interface(self, suite: Defined[SuiteSpec]) -> Interface | None:
        """The interface of a suite, or None after a report."""
        name, known = interface_of(suite), self.project.interfaces
        if name not in known and ("interface", name) not in self.broken:
            if suite.spec.interface is not None:
                self._unknown("E314", f"no interface `{name}`", name, known, suite.place.at("interface"), "")
            else:
                hint = "add `interface:` with the name of an interface"
                if near := closest(name, known, 1):
                    hint = f"did you mean `{near[0]}`? {hint}, or rename the file"
                self.collector.report("E314", f"no interface `{name}`", suite.place, hint=hint)
        return known.get(name)

    def case(self, interface: Interface, spec: CaseSpec, written: Mapping[str, Any], place: Place) -> Case:
        """The test case, without unknown names, which are reported."""
        given, expect = written.get("given", {}), written.get("expect", {})
        sources = {}
        tables: dict[str, Rows] = {}
        for name in spec.given:
            here = place.at("given", name)
            if name == SCHEMA:
                tables = dict(self._tables(given[name], here, complete=True))
            elif (known := self._source_tables(name, here)) is not None:
                sources[name] = dict(self._sources(name, known, given[name], here))
        return Case(
            interface.name,
            spec.name,
            place.at("name"),
            dict(self._parameters(interface, spec, place.at("parameters"))),
            sources,
            tables,
            self._expected(interface, spec, expect, place.at("expect")),
        )

    def _expected(self, interface: Interface, spec: CaseSpec, written: Mapping[str, Any], place: Place) -> Expected:
        wanted = spec.expect
        self._steps(interface, wanted.writes, _WRITING, place.key("writes"), "writes to a provider")
        self._steps(interface, wanted.rejects, _REJECTING, place.key("rejects"), "can reject rows")
        respond: Rows | None = None
        if wanted.respond is not None:
            if not any(step.spec.kind == "respond" for step in interface.steps):
                hint = "add a step with `respond`, or remove this key"
                self.collector.report(
                    "E317", f"no step of `{interface.name}` responds", place.key("respond"), hint=hint
                )
            elif (columns := self.answers.get(interface.name)) is not None:
                respond = fitting_rows("respond", columns, written["respond"], place.at("respond"), self.collector)
        tables = dict(self._tables(written.get("schema") or {}, place.at("schema"), complete=False))
        return Expected(tables, wanted.writes, respond, wanted.rejects, wanted.fails)

    def _source_tables(self, name: str, place: Place) -> Mapping[str, SourceTable] | None:
        """The tables of a connection's catalogue; None after reporting an unknown connection."""
        connection = self.project.connections.get(name)
        if connection is None:
            if ("connection", name) not in self.broken:
                known = (*self.project.connections, SCHEMA)
                fallback = f"define it in connections/{name}.yaml"
                self._unknown("E301", f"no connection `{name}`", name, known, _key(place), fallback)
            return None
        connector = self.connectors.get(connection.spec.connector)
        try:
            return connector.catalogue(connection.spec.api_version).tables if connector is not None else None
        except KeyError:  # reported where the connection is defined
            return None

    def _sources(
        self, name: str, known: Mapping[str, SourceTable], given: Mapping[str, Any], place: Place
    ) -> Iterator[tuple[str, tuple[Mapping[str, Any], ...]]]:
        for table, rows in given.items():
            if table in known:
                yield table, page_rows(known[table], rows, place.at(table), self.collector)
                continue
            fallback = "use `weir catalog` to list the tables of a provider"
            self._unknown("E315", f"`{name}` has no table `{table}`", table, known, place.key(table), fallback)

    def _tables(self, given: Mapping[str, Any], place: Place, *, complete: bool) -> Iterator[tuple[str, Rows]]:
        """Rows of the Schema's tables. Complete rows have all required columns, with defaults filled in."""
        known: Mapping[str, SchemaTable] = self.project.tables
        for name, rows in given.items():
            table = known.get(name)
            if table is None:
                if ("schema", name) not in self.broken:
                    fallback = f"define it in schemas/{name}.yaml"
                    self._unknown("E302", f"no table `{name}`", name, known, place.key(name), fallback)
                continue
            here = place.at(name)
            whole = [{**table.defaults, **row} if complete else row for row in rows]
            before = len(self.collector)
            found = fitting_rows(f"`{name}`", table.relation, whole, here, self.collector)
            if complete and len(self.collector) == before:
                required = [each.name for each in table.relation if each.required]
                check_rows(found, table.key, required, here, self.collector)
            yield name, found

    def _parameters(self, interface: Interface, spec: CaseSpec, place: Place) -> Iterator[tuple[str, str]]:
        known = interface.spec.parameters
        for name, value in spec.parameters.items():
            if name in known:
                yield name, value if isinstance(value, str) else json.dumps(value)
                continue
            fallback = "declare it under `parameters:` of the interface"
            message = f"`{interface.name}` has no parameter `{name}`"
            self._unknown("E319", message, name, known, place.key(name), fallback)

    def _steps(
        self, interface: Interface, named: Iterable[str], kinds: frozenset[str], place: Place, does: str
    ) -> None:
        steps = {step.name: step.spec.kind for step in interface.steps}
        fitting = [name for name, kind in steps.items() if kind in kinds]
        for name in named:
            here = Place(place.file, (*place.route, name), on="key")
            listed = ", ".join(f"`{each}`" for each in fitting)
            hint = f"use one of: {listed}" if fitting else f"remove it: no step of `{interface.name}` {does}"
            if name not in steps:
                message = f"`{interface.name}` has no step `{name}`"
                self._unknown("E317", message, name, fitting, here, hint)
            elif steps[name] not in kinds:
                message = f"`{name}` is a step of kind `{steps[name]}`, which never {does}"
                self.collector.report("E317", message, here, hint=hint)

    def _unknown(self, code: str, message: str, name: str, known: Iterable[str], place: Place, fallback: str) -> None:
        names = list(known)
        near = closest(name, names, 1)
        fixes = [Fix(f"write `{near[0]}`", place, near[0])] if near else []
        listed = fallback or f"use one of: {', '.join(f'`{each}`' for each in names) or 'none'}"
        self.collector.report(code, message, place, hint=did_you_mean(name, names) or listed, fixes=fixes)


def _key(place: Place) -> Place:
    return Place(place.file, place.route, on="key")
