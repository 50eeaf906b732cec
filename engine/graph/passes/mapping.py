"""Maps a box's columns to a table's: the mapping and the match of an import."""

from __future__ import annotations

from dataclasses import dataclass

from engine.diagnostics import Collector, Fix, Place, closest, did_you_mean
from engine.project import Project, ResolvedStep, SchemaTable
from engine.relation import Column, Fit, Relation, fit
from engine.relation.parameter_values import parameter_value
from engine.spec import MapSpec, WriteSpec

from ..box_compiler import Boxes
from ..literals import sql_literal
from ..template.render import Rendered
from ..types import BindFailure, Box, MapColumn


@dataclass(frozen=True, slots=True)
class Mapped:
    """The mapping of the box's rows to rows of the table. `match` pairs (Schema column, source column)."""

    match: tuple[tuple[str, str], ...]
    mapping: tuple[MapColumn, ...]


def map_step(step: ResolvedStep, write: WriteSpec, table: SchemaTable, box: Box, boxes: Boxes) -> Mapped:
    """The mapping of an import or transform, without the columns that do not fit, which are reported."""
    mapper = _Mapper(step.place, write, table, box, boxes, boxes.collector)
    mapping = mapper.mapping()
    match = mapper.match(mapping)
    mapper.check_required(mapping)
    return Mapped(match, mapping)


def check_defaults(project: Project, collector: Collector) -> None:
    """Report defaults of the Schema's columns that do not have the column's type."""
    for table in project.tables.values():
        for column in table.relation:
            written = table.defaults.get(column.name)
            if written is not None:
                default_literal(column, written, table.place.at("columns", column.name, "default"), collector)


def default_literal(column: Column, written: object, place: Place, collector: Collector) -> str | None:
    """A default as SQL, or None after reporting that it does not have the column's type."""
    try:
        return sql_literal(parameter_value(written, column.type))
    except ValueError as error:
        collector.report("E418", f"the default of `{column.name}`: {error}", place)
        return None


@dataclass(frozen=True, slots=True)
class _Mapper:
    place: Place
    write: WriteSpec
    table: SchemaTable
    box: Box
    boxes: Boxes
    collector: Collector

    @property
    def source(self) -> Relation:
        """The columns of the box."""
        return self.box.bound.relation

    def mapping(self) -> tuple[MapColumn, ...]:
        """One entry per Schema column that gets a value."""
        if self.write.map == "auto":
            return self._auto()
        found = []
        for target, entry in self.write.map.items():
            place = self.place.at("map", target)
            column = self.table.relation.find(target)
            if column is None:
                self._unknown_target(target, self.place.key("map", target))
                continue
            if (mapped := self._entry(column, entry, place)) is not None:
                found.append(mapped)
        return tuple(found)

    def _auto(self) -> tuple[MapColumn, ...]:
        found: list[MapColumn] = []
        for column in self.table.relation:
            source = self.source.find(column.name)
            default = self._default(column, None, self.place)
            if source is not None:
                if self._fits(source, column, self.box.place):
                    found.append(MapColumn(column.name, source.name, None, default))
            elif default is not None:
                found.append(MapColumn(column.name, default=default))
        if not any(mapped.source for mapped in found) and self.write.action != "delete":
            hint = f"add a `map`; the box returns {_listed(self.source.names)}"
            message = f"the box and `{self.table.name}` have no column name in common"
            self.collector.report("E411", message, self.place.key("into"), hint=hint)
        taken = {mapped.target.casefold() for mapped in found} | {
            each.casefold() for each in (self.write.match or {}).values()
        }
        left = [name for name in self.source.names if name.casefold() not in taken]
        if left and self.write.action != "delete":
            hint = "remove them from the SELECT, rename them with AS, or add a `map`"
            message = f"`{self.table.name}` has no column {_listed(left)}: this box's values are dropped"
            self.collector.report("W401", message, self.box.place, hint=hint)
        return tuple(found)

    def _entry(self, column: Column, entry: MapSpec, place: Place) -> MapColumn | None:
        default = self._default(column, entry, place)
        if entry.expr is not None:
            bound = self.boxes.binder.bind_expression(entry.expr, self.source)
            if isinstance(bound, BindFailure):
                self.boxes.report_failure(bound, Rendered(entry.expr), place.at("expr"))
                return None
            if not self._fits(bound.columns[0], column, place.at("expr")):
                return None
            return MapColumn(column.name, None, entry.expr, default, entry.skip_if_empty)
        if entry.source is None:
            return MapColumn(column.name, None, None, default, entry.skip_if_empty)
        here = place.at("from") if entry.model_fields_set != {"source"} else place
        source = self._source(entry.source, here)
        if source is None or not self._fits(source, column, here):
            return None
        return MapColumn(column.name, source.name, None, default, entry.skip_if_empty)

    def match(self, mapping: tuple[MapColumn, ...]) -> tuple[tuple[str, str], ...]:
        """The pairs that identify a row; reported if the action requires some and there are none."""
        if self.write.match is not None:
            return self._written_match(self.write.match)
        sources = {mapped.target: mapped.source for mapped in mapping}
        pairs: list[tuple[str, str]] = []
        for name in self.table.key:
            source = sources.get(name) or getattr(self.source.find(name), "name", None)
            if source is None:
                pairs = []
                break
            pairs.append((name, source))
        if not pairs and self.write.action in ("update", "delete", "upsert"):
            if self.table.key:
                message = f"the box does not return the key {_listed(self.table.key)} of `{self.table.name}`"
                hint = f"add it to the SELECT, or add a `match`; the box returns {_listed(self.source.names)}"
            else:
                message = f"`{self.write.action}` requires columns that identify a row"
                hint = f"add a `key` to `{self.table.name}`, or a `match` to this step"
            self.collector.report("E415", message, self.place.key("into"), hint=hint)
        return tuple(pairs)

    def _written_match(self, written: dict[str, str]) -> tuple[tuple[str, str], ...]:
        pairs = []
        for target, name in written.items():
            column = self.table.relation.find(target)
            if column is None:
                self._unknown_target(target, self.place.key("match", target))
                continue
            place = self.place.at("match", target)
            source = self._source(name, place)
            if source is not None and self._fits(source, column, place):
                pairs.append((column.name, source.name))
        return tuple(pairs)

    def check_required(self, mapping: tuple[MapColumn, ...]) -> None:
        """Report required columns that get no value."""
        if self.write.action in ("update", "delete"):
            return
        mapped = {each.target for each in mapping} | {target for target, _ in self._matched()}
        attempted = set(self.write.map) if isinstance(self.write.map, dict) else set()
        missing = [c.name for c in self.table.relation if c.required and c.name not in mapped | attempted]
        if missing:
            message = f"`{self.table.name}` requires a value for {_listed(missing)}"
            place = self.place.key("map") if self.write.map != "auto" else self.place.key("into")
            hint = f"map it; the box returns {_listed(self.source.names)}"
            self.collector.report("E414", message, place, hint=hint)

    def _matched(self) -> tuple[tuple[str, str], ...]:
        return tuple((self.write.match or {}).items())

    def _source(self, name: str, place: Place) -> Column | None:
        found = self.source.find(name)
        if found is None:
            near = closest(name, self.source.names, 1)
            fixes = [Fix(f"write `{near[0]}`", place, near[0])] if near else []
            hint = did_you_mean(name, self.source.names) or f"the box returns {_listed(self.source.names)}"
            self.collector.report("E411", f"the box returns no column `{name}`", place, hint=hint, fixes=fixes)
        return found

    def _unknown_target(self, name: str, place: Place) -> None:
        names = self.table.relation.names
        near = closest(name, names, 1)
        fixes = [Fix(f"write `{near[0]}`", place, near[0])] if near else []
        hint = did_you_mean(name, names) or f"it has {_listed(names)}"
        self.collector.report("E412", f"`{self.table.name}` has no column `{name}`", place, hint=hint, fixes=fixes)

    def _fits(self, source: Column, target: Column, place: Place) -> bool:
        if fit(source.type, target.type) is not Fit.NEVER:
            return True
        message = (
            f"expected {target.type} for `{self.table.name}.{target.name}`, found {source.type} in `{source.name}`"
        )
        self.collector.report("E413", message, place, hint="convert it in the SQL box, or change the column's type")
        return False

    def _default(self, column: Column, entry: MapSpec | None, place: Place) -> str | None:
        own = entry is not None and entry.default is not None
        written = entry.default if own and entry is not None else self.table.defaults.get(column.name)
        if written is None:
            return None
        here = place.at("default") if own else self.table.place.at("columns", column.name, "default")
        return default_literal(column, written, here, self.collector)


def _listed(names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:8])
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown
