"""Maps a box's columns to the parameters of a write, and checks existence, type, values, limits, money, references."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.connector import SCALARS, Parameter, ParameterKind, ParameterProblem, Shown, find_parameter, parameter_path
from engine.diagnostics import Collector, Fix, Place, closest, did_you_mean
from engine.relation import BOOLEAN, FLOAT, INTEGER, JSON, TEXT, Column, ColumnType, Fit, Kind, Relation, fit
from engine.spec import WriteMapSpec

from ..box_compiler import Boxes
from ..template.render import Rendered
from ..types import BindFailure, WriteColumn
from .mapping import default_literal

DECIMAL = ColumnType(Kind.DECIMAL, 38, 12)
"""The type of decimals and amounts of money that are compared and sent: at most 12 decimal places."""

WIRE_TYPES: Mapping[ParameterKind, ColumnType] = {
    ParameterKind.TEXT: TEXT,
    ParameterKind.ENUM: TEXT,
    ParameterKind.INTEGER: INTEGER,
    ParameterKind.NUMBER: FLOAT,
    ParameterKind.DECIMAL: DECIMAL,
    ParameterKind.BOOLEAN: BOOLEAN,
    ParameterKind.LIST: JSON,
}
"""The type of a value before it is formatted as the text that is sent."""

_TIMES = frozenset({Kind.TIMESTAMP, Kind.DATE})


@dataclass(frozen=True, slots=True)
class Columns:
    """Maps the entries of one step. `place` is that of the mapping; `targets` names the owner of the parameters.

    `refs` are the earlier export steps by name, with the number of columns that each matches by. A parameter that is
    not in `parameters` is looked up in `others`.
    """

    place: Place
    targets: str
    parameters: Sequence[Parameter]
    relation: Relation
    boxes: Boxes
    refs: Mapping[str, int]
    steps: Collection[str]
    see: Callable[[str], Shown | None]
    immutable: frozenset[str] = frozenset()
    others: Sequence[Parameter] = ()

    @property
    def collector(self) -> Collector:
        """The collector of findings."""
        return self.boxes.collector

    def of(self, entries: Mapping[str, WriteMapSpec]) -> tuple[WriteColumn, ...]:
        """One column for each valid entry; the others are reported."""
        found = [column for path, entry in entries.items() if (column := self._column(path, entry)) is not None]
        self._check_keys(found)
        return tuple(self._with_currency(column, found) for column in found)

    def find(self, path: str, place: Place) -> Parameter | None:
        """The parameter at a path, or None after a report."""
        found = find_parameter(self.parameters, path)
        if isinstance(found, ParameterProblem) and self.others:
            other = find_parameter(self.others, path)
            found = other if isinstance(other, Parameter) else found
        if isinstance(found, ParameterProblem):
            near = closest(found.part, found.candidates, 1)
            corrected = path.replace(found.part, near[0]) if near else path
            fixes = [Fix(f"write `{corrected}`", place, corrected)] if near else []
            hint = did_you_mean(found.part, found.candidates) or _known(found.candidates, self.targets)
            self.collector.report("E432", f"`{self.targets}`: {found.message}", place, hint=hint, fixes=fixes)
            return None
        if found.kind in SCALARS or _is_plain_list(found):
            return found
        part = found.fields[0].name if found.fields else "0" if found.kind is ParameterKind.LIST else "key"
        hint = f"use a part of it, such as `{path}[{part}]`"
        self.collector.report("E433", f"`{path}` is {_article(found.kind)}, expected a single value", place, hint=hint)
        return None

    def source(self, name: str, place: Place) -> Column | None:
        """The box's column with this name, or None after a report."""
        found = self.relation.find(name)
        if found is None:
            names = self.relation.names
            near = closest(name, names, 1)
            fixes = [Fix(f"write `{near[0]}`", place, near[0])] if near else []
            hint = did_you_mean(name, names) or f"the box returns {', '.join(f'`{each}`' for each in names[:8])}"
            self.collector.report("E411", f"the box returns no column `{name}`", place, hint=hint, fixes=fixes)
        return found

    def _column(self, path: str, entry: WriteMapSpec) -> WriteColumn | None:
        key, place = self.place.key(path), self.place.at(path)
        parameter = self.find(path, key)
        if parameter is None or not self._may_ref(entry, parameter, place):
            return None
        here = place.at("from") if entry.model_fields_set != {"source"} else place
        made = WriteColumn(
            path,
            parameter,
            source=entry.source,
            expr=entry.expr,
            skip_if_empty=entry.skip_if_empty,
            ref=entry.ref,
            shown=self.see(path),
            immutable=path.partition("[")[0] in self.immutable,
            beside=self._beside(path),
        )
        typed: Column | None = None
        if entry.expr is not None:
            bound = self.boxes.binder.bind_expression(entry.expr, self.relation)
            if isinstance(bound, BindFailure):
                self.boxes.report_failure(bound, Rendered(entry.expr), place.at("expr"))
                return None
            typed, here = bound.columns[0], place.at("expr")
        elif entry.source is not None:
            typed = self.source(entry.source, here)
            if typed is None:
                return None
        if typed is not None and entry.ref is None and not self._fits(path, parameter, typed, here):
            return None
        return self._with_default(made, entry, place)

    def _beside(self, path: str) -> tuple[str, ...]:
        """The scalar parts of the object that a path points into."""
        head = next((each for each in self.parameters if each.name == parameter_path(path)[0]), None)
        if head is None or head.kind is not ParameterKind.OBJECT:
            return ()
        return tuple(_leaves(head, head.name))

    def _with_default(self, made: WriteColumn, entry: WriteMapSpec, place: Place) -> WriteColumn | None:
        if entry.default is None:
            return made
        here = place.at("default")
        written, parameter = entry.default, made.parameter
        if parameter.kind is ParameterKind.ENUM and parameter.values and written not in parameter.values:
            self._report_choice(made.path, str(written), parameter, here)
            return None
        major = parameter.money and self._money_kind(made) is Kind.DECIMAL
        column = Column(made.path, DECIMAL if major else WIRE_TYPES[parameter.kind])
        literal = default_literal(column, written, here, self.collector)
        if literal is None:
            return None
        if major:  # in the unit of the values that it replaces: beside 5.50, 5 is five euros and never five cents
            literal = f"CAST({literal} AS {str(DECIMAL).upper()})"
        if parameter.longest is not None and isinstance(written, str) and len(written) > parameter.longest:
            self.collector.report("E440", f"expected at most {parameter.longest} characters for `{made.path}`", here)
            return None
        return replace(made, default=literal)

    def _report_choice(self, path: str, written: str, parameter: Parameter, place: Place) -> None:
        near = closest(written, parameter.values, 1)
        fixes = [Fix(f"write `{near[0]}`", place, near[0])] if near else []
        hint = (
            did_you_mean(written, parameter.values)
            or f"use one of {', '.join(f'`{v}`' for v in parameter.values[:12])}"
        )
        self.collector.report("E440", f"`{path}` does not accept `{written}`", place, hint=hint, fixes=fixes)

    def _may_ref(self, entry: WriteMapSpec, parameter: Parameter, place: Place) -> bool:
        if entry.ref is None:
            return True
        here = place.at("ref")
        if entry.ref not in self.refs:
            later = entry.ref in self.steps
            message = f"`{entry.ref}` is not an earlier export step" if later else f"no step `{entry.ref}`"
            hint = did_you_mean(entry.ref, self.refs) or "use the name of an earlier export step"
            self.collector.report("E438", message, here, hint=hint)
            return False
        if self.refs[entry.ref] != 1:
            message = f"`{entry.ref}` matches by {self.refs[entry.ref]} columns, expected one"
            self.collector.report("E438", message, here, hint="use a step that matches by one column")
            return False
        if parameter.kind is not ParameterKind.TEXT:
            message = f"`{parameter.name}` is {_article(parameter.kind)}, but an id is text"
            self.collector.report("E433", message, here)
            return False
        return True

    def _fits(self, path: str, parameter: Parameter, source: Column, place: Place) -> bool:
        kind = source.type.kind
        if parameter.money and kind not in (Kind.INTEGER, Kind.DECIMAL):
            message = (
                f"expected an integer or a decimal for the amount `{path}`, found {source.type} in `{source.name}`"
            )
            hint = "use an integer (minor units: cents) or a decimal (major units: 12.50)"
            self.collector.report("E433", message, place, hint=hint)
            return False
        if parameter.kind is ParameterKind.INTEGER and kind in _TIMES:
            return True  # sent as Unix seconds
        if parameter.kind is ParameterKind.LIST:
            fine = kind in (Kind.LIST, Kind.JSON)
        else:
            fine = fit(source.type, WIRE_TYPES[parameter.kind]) is not Fit.NEVER
        if not fine:
            message = f"expected {_article(parameter.kind)} for `{path}`, found {source.type} in `{source.name}`"
            self.collector.report("E433", message, place, hint="convert it in the SQL box, or in an `expr`")
        return fine

    def _with_currency(self, column: WriteColumn, all_columns: Sequence[WriteColumn]) -> WriteColumn:
        """The column with the path of its currency, which amounts in major units require."""
        if not column.parameter.money:
            return column
        head, bracket, _ = column.path.rpartition("[")
        beside = f"{head}[currency]" if bracket else "currency"
        known = any(each.path == beside for each in all_columns)
        kind = self._money_kind(column)
        if kind is Kind.DECIMAL and not known:
            message = f"`{column.path}` is a decimal amount without a currency"
            hint = f"map `{beside}` as well, or use an integer in minor units (cents)"
            self.collector.report("E433", message, self.place.at(column.path), hint=hint)
        if kind is not Kind.DECIMAL:
            return column
        return replace(column, currency=beside)

    def _money_kind(self, column: WriteColumn) -> Kind | None:
        if column.expr is not None:
            bound = self.boxes.binder.bind_expression(column.expr, self.relation)
            return None if isinstance(bound, BindFailure) else bound.columns[0].type.kind
        found = self.relation.find(column.source) if column.source is not None else None
        return found.type.kind if found is not None else None

    def _check_keys(self, columns: Sequence[WriteColumn]) -> None:
        """Report maps with more keys than the provider accepts."""
        by_map: dict[str, list[str]] = {}
        for column in columns:
            if "[" in column.path:
                by_map.setdefault(column.path.rpartition("[")[0], []).append(column.path)
        for path, own in by_map.items():
            found = find_parameter(self.parameters, path)
            if isinstance(found, Parameter) and found.most is not None and len(own) > found.most:
                message = f"expected at most {found.most} keys in `{path}`, found {len(own)}"
                self.collector.report("E440", message, self.place.key(own[found.most]))


def _leaves(parameter: Parameter, path: str) -> Iterator[str]:
    for field in parameter.fields:
        if field.kind in SCALARS:
            yield f"{path}[{field.name}]"
        elif field.kind is ParameterKind.OBJECT:
            yield from _leaves(field, f"{path}[{field.name}]")


def _is_plain_list(parameter: Parameter) -> bool:
    return parameter.kind is ParameterKind.LIST and parameter.item is not None and parameter.item.kind in SCALARS


def _known(candidates: Sequence[str], targets: str) -> str | None:
    if not candidates:
        return None
    shown = ", ".join(f"`{name}`" for name in candidates[:8])
    more = f" and {len(candidates) - 8} more: use `weir catalog {targets.partition('.')[0]} --writes` to list them"
    return f"it has {shown}{more if len(candidates) > 8 else ''}"


def _article(kind: ParameterKind) -> str:
    words = {
        "integer": "an integer",
        "enum": "one of a set of values",
        "object": "an object",
        "any": "a value of several types",
    }
    return words.get(kind.value, "text" if kind is ParameterKind.TEXT else f"a {kind.value}")
