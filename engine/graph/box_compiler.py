"""Renders and binds SQL boxes. Errors are reported at their position in the author's text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.connector import MIRROR_TABLES, SourceCatalogue
from engine.diagnostics import Collector, Fix, Place, closest, did_you_mean
from engine.project import BoxText, Project
from engine.relation import Relation

from .template.errors import TemplateFailedError
from .template.render import Rendered, render
from .types import (
    CHANGED_NAMESPACE,
    QUALIFIED,
    SCHEMA_NAMESPACE,
    WEIR_NAMESPACE,
    Binder,
    BindFailure,
    Bound,
    Box,
    Scope,
)

_CODES = {
    "syntax": "E401",
    "table": "E402",
    "column": "E403",
    "function": "E404",
    "type": "E405",
    "statements": "E406",
    "not_select": "E407",
    "other": "E408",
}


@dataclass(frozen=True, slots=True)
class Boxes:
    """Compiles boxes of one project. Boxes of a connection without a catalogue are not compiled."""

    project: Project
    catalogues: Mapping[str, SourceCatalogue]
    binder: Binder
    collector: Collector
    _relations: dict[str, Mapping[str, Relation]] = field(default_factory=dict)
    """By namespace; filled on first use."""

    def compile(self, box: BoxText, values: Mapping[str, object], namespaces: tuple[str, ...]) -> Box | None:
        """The box rendered with `values` and bound in these namespaces, or None after a report."""
        scope = self.scope(namespaces)
        if scope is None:
            return None
        try:
            rendered = render(box.text, values)
        except TemplateFailedError as failure:
            self._report_template(failure, box, values)
            return None
        bound = self.binder.bind(rendered.sql, scope)
        match bound:
            case Bound():
                if self._has_duplicates(bound.relation, box):
                    return None
                return Box(rendered.sql, box.place, namespaces, bound)
            case BindFailure():
                self.report_failure(bound, rendered, box.place, self._elsewhere(bound, namespaces))
                return None

    def scope(self, namespaces: tuple[str, ...]) -> Scope | None:
        """The tables of these namespaces; None if a catalogue is missing."""
        found: list[tuple[str, Mapping[str, Relation]]] = []
        mirrored: list[tuple[str, Mapping[str, Relation]]] = []
        for name in namespaces:
            if name != SCHEMA_NAMESPACE and name not in self.catalogues:
                return None
            relations = self._relations.get(name)
            if relations is None:
                relations = self._relations[name] = self._tables_of(name)
            found.append((name, relations))
            if name != SCHEMA_NAMESPACE:
                mirrored = [(CHANGED_NAMESPACE, relations), (WEIR_NAMESPACE, MIRROR_TABLES)]
        return Scope((*found, *mirrored))

    def _tables_of(self, namespace: str) -> Mapping[str, Relation]:
        if namespace == SCHEMA_NAMESPACE:
            return {table.name: table.relation for table in self.project.tables.values()}
        return {table.name: table.relation for table in self.catalogues[namespace].tables.values()}

    def report_failure(
        self, failure: BindFailure, rendered: Rendered, place: Place, elsewhere: str | None = None
    ) -> None:
        """Report a box or an expression that does not bind. `elsewhere` is a hint about a table that was not found."""
        here = place
        fixes: list[Fix] = []
        if failure.span is not None:
            here = place.within(*rendered.origin(failure.span))
            near = closest(failure.name, failure.candidates, 1) if failure.name else []
            if near and failure.reason in ("table", "column", "function"):
                fixes = [Fix(f"write `{near[0]}`", here, near[0])]
        hint = did_you_mean(failure.name, failure.candidates) if failure.name else None
        hint = elsewhere or hint
        if hint is None and failure.candidates and failure.reason != "function":
            hint = f"use one of {', '.join(f'`{name}`' for name in failure.candidates[:5])}"
        if hint is None and failure.reason == "table":
            hint = "use `weir catalog` to list a connection's tables; `schema.<name>` is a table of the Schema"
        if hint is None and failure.message.startswith("no column"):
            hint = "use `weir catalog TABLE` to list the columns of a connection's table"
        self.collector.report(_CODES[failure.reason], failure.message, here, hint=hint, fixes=fixes)

    def _elsewhere(self, failure: BindFailure, namespaces: tuple[str, ...]) -> str | None:
        """Why a table that a box names does not exist in its scope, if known."""
        if failure.reason != "table" or failure.name is None:
            return None
        if failure.name.partition(".")[0].casefold() in QUALIFIED and namespaces == (SCHEMA_NAMESPACE,):
            return "use `changed` and `weir` in boxes of imports and connections: they belong to a connection"
        name = failure.name.rpartition(".")[2].casefold()
        for connection, catalogue in self.catalogues.items():
            if connection in namespaces and name in catalogue.unreadable:
                return f"`{name}` cannot be read as a table: {catalogue.unreadable[name]}"
            if connection not in namespaces and name in catalogue.tables:
                return f"`{name}` belongs to `{connection}`; this box can read only {_listed(namespaces)}"
        return None

    def _report_template(self, failure: TemplateFailedError, box: BoxText, values: Mapping[str, object]) -> None:
        here = box.place.within(*failure.span) if failure.span else box.place
        if failure.name is None:
            quotes = failure.code == "E421"
            message = failure.message if quotes else f"the template does not render: {failure.message}"
            hint = "write `{{ name }}` on its own, with spaces: a value renders with its own quotes" if quotes else None
            self.collector.report(failure.code, message, here, hint=hint)
            return
        near = closest(failure.name, values, 1)
        fixes = [Fix(f"write `{near[0]}`", here, near[0])] if near and failure.span else []
        hint = did_you_mean(failure.name, values) or "declare it under `parameters:` of the interface"
        self.collector.report("E410", f"no parameter `{failure.name}`", here, hint=hint, fixes=fixes)

    def _has_duplicates(self, relation: Relation, box: BoxText) -> bool:
        seen: set[str] = set()
        for column in relation:
            folded = column.name.casefold()
            if folded in seen:
                hint = "rename one of them with AS"
                self.collector.report("E417", f"duplicate column `{column.name}`", box.place, hint=hint)
                return True
            seen.add(folded)
        return False


def _listed(namespaces: tuple[str, ...]) -> str:
    return " and ".join("the Schema" if name == SCHEMA_NAMESPACE else f"`{name}`" for name in namespaces)
