"""The rows of a box, mapped to the columns of their table and checked value by value, beside the file of the Schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import duckdb

from engine.graph import Action, MapColumn
from engine.relation import Column
from engine.run import ImportJob, StoreError

from ..casts import Cast, cast
from ..columns import describe
from ..problems import Problem, number_of_first
from ..quoting import quote_name
from ..types import sql_type

SOURCE: Final = "box.main.result"
"""Where the rows of the box lie."""


ROW_ID: Final = "rowid"
"""Every row's place in its table, as DuckDB calls it; a column of this name would hide it."""


@dataclass(frozen=True, slots=True)
class Value:
    """A column of the table in the temporary table `staged`: `name` there, the default of new rows as SQL."""

    column: Column
    name: str
    keeps: bool
    new_default: str | None


@dataclass(frozen=True, slots=True)
class Staged:
    """The temporary tables `staged` (row, values, keys, bad) and `rejected` (row, bad).

    `bad` is 0 for a good row, otherwise 1 + the index of its problem. `keys` pairs columns of the Schema's table with
    names in `staged`, `key_sources` with SQL over the box's rows.
    """

    values: tuple[Value, ...]
    keys: tuple[tuple[str, str], ...]
    key_sources: tuple[tuple[str, str], ...]
    problems: tuple[Problem, ...]
    rows: int


def expression_column(index: int) -> str:
    """The name that the value of the mapping's `index`-th expression has among the box's columns."""
    return f"_weir_expression_{index}"


def stage_rows(connection: duckdb.DuckDBPyConnection, job: ImportJob) -> Staged:
    """Fill `staged` from `SOURCE`; nothing of the Schema is needed or touched."""
    types = {name.casefold(): kind for name, kind in describe(connection, SOURCE).items()}
    if ROW_ID in types:
        raise StoreError("E605", f"the box yields a column `{ROW_ID}`, a name that DuckDB needs", "rename the column")
    stager = _Stager(job, types)
    values = tuple(stager.value(index, mapped) for index, mapped in enumerate(stager.mapping))
    keys = tuple(stager.key(index, target, source) for index, (target, source) in enumerate(job.match))
    sources = tuple((stager.column(target).name, quote_name(source)) for target, source in job.match)
    connection.execute(
        f"CREATE TEMP TABLE staged AS SELECT rowid AS row, {''.join(f'{item}, ' for item in stager.selected)}"
        f"CAST({stager.bad()} AS INTEGER) AS bad FROM {SOURCE}"
    )
    connection.execute("CREATE TEMP TABLE rejected AS SELECT row, bad FROM staged WHERE bad <> 0")
    rows = int(connection.execute("SELECT count(*) FROM staged").fetchall()[0][0])
    return Staged(values, keys, sources, tuple(stager.problems), rows)


class _Stager:
    """Gathers the columns of `staged` and the conditions under which a row is bad."""

    def __init__(self, job: ImportJob, types: Mapping[str, str]) -> None:
        self._job = job
        self._types = types
        self._conditions: list[str] = []
        self.mapping = _whole_mapping(job)
        self.selected: list[str] = []
        self.problems: list[Problem] = []

    def value(self, index: int, mapped: MapColumn) -> Value:
        """Stage the value of one mapped column."""
        column = self.column(mapped.target)
        raw, kind = self._source(mapped, index)
        made = cast(_without_empty(raw, kind) if mapped.skip_if_empty else raw, kind, column.type)
        default = None if mapped.default is None else f"CAST({mapped.default} AS {sql_type(column.type)})"
        immediate = default is not None and not mapped.skip_if_empty
        shown = f"coalesce({made.value}, {default})" if immediate else made.value
        self._add(f"v{index}", shown, made, column, raw)
        return Value(column, f"v{index}", mapped.skip_if_empty, default)

    def key(self, index: int, target: str, source: str) -> tuple[str, str]:
        """Stage what a column is matched by, unless it is a mapped value already."""
        column = self.column(target)
        plain = MapColumn(column.name, source=source)
        for number, mapped in enumerate(self.mapping):
            if _is_plain(mapped, plain):
                return column.name, f"v{number}"
        raw, kind = self._source(plain, index)
        made = cast(raw, kind, column.type)
        self._add(f"k{index}", made.value, made, column, raw)
        return column.name, f"k{index}"

    def bad(self) -> str:
        """The number of a row's first problem, or 0, as SQL."""
        return number_of_first(self._conditions)

    def column(self, name: str) -> Column:
        """The column of the table with this name."""
        column = self._job.relation.find(name)
        if column is None:
            raise StoreError("E605", f"`{self._job.table}` has no column `{name}`")
        return column

    def _add(self, name: str, value: str, made: Cast, column: Column, raw: str) -> None:
        self.selected.append(f"{value} AS {quote_name(name)}")
        for misfit in made.misfits:
            self._conditions.append(misfit.condition)
            self.problems.append(Problem(column.name, misfit.problem, raw))

    def _source(self, mapped: MapColumn, index: int) -> tuple[str, str]:
        if mapped.expr is None and mapped.source is None:
            return "NULL", '"NULL"'
        name = expression_column(index) if mapped.expr is not None else mapped.source or ""
        kind = self._types.get(name.casefold())
        if kind is None:
            raise StoreError("E605", f"the box yields no column `{name}`")
        return quote_name(name), kind


def _whole_mapping(job: ImportJob) -> tuple[MapColumn, ...]:
    """The mapping and, for columns matched but not mapped, the match. A delete needs no mapping at all."""
    if job.action is Action.DELETE:
        return ()
    mapped = {column.target.casefold() for column in job.mapping}
    unmapped = (pair for pair in job.match if pair[0].casefold() not in mapped)
    return (*job.mapping, *(MapColumn(target, source=source) for target, source in unmapped))


def _without_empty(raw: str, kind: str) -> str:
    if kind == "VARCHAR":
        return f"nullif({raw}, '')"
    if kind == "JSON":
        return f"(CASE WHEN {raw} ->> '$' <> '' THEN {raw} END)"
    return raw


def _is_plain(mapped: MapColumn, plain: MapColumn) -> bool:
    return (
        mapped.target.casefold() == plain.target.casefold()
        and mapped.expr is None
        and mapped.default is None
        and not mapped.skip_if_empty
        and (mapped.source or "").casefold() == (plain.source or "").casefold()
    )
