"""A box's rows in the form that the provider expects: keys, values as text, and problems of each row."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import duckdb

from engine.graph import WriteColumn
from engine.plan import PENDING
from engine.relation import TEXT
from engine.run import StoreError

from ..casts import Misfit, cast
from ..columns import describe
from ..problems import Problem, number_of_first
from ..quoting import quote_literal, quote_name
from ..schema.stage import ROW_ID, SOURCE, expression_column
from .values import wire_text

_PAIRS: Final = '[{"key": "VARCHAR", "object": "VARCHAR"}]'


@dataclass(slots=True)
class DesiredRows:
    """Builds the temporary table `desired`: row, key, v0 … (texts, by column), bad (0, or the number of a problem).

    `units` are the digits of currencies. Columns that refer to other steps need `add_references` first.
    """

    connection: duckdb.DuckDBPyConnection
    columns: Sequence[WriteColumn]
    units: Mapping[str, int]
    problems: list[Problem] = field(default_factory=list)
    _conditions: list[str] = field(default_factory=list)
    _types: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._types = {name.casefold(): kind for name, kind in describe(self.connection, SOURCE).items()}
        if ROW_ID in self._types:
            raise StoreError(
                "E605", f"the box yields a column `{ROW_ID}`, a name that DuckDB needs", "rename the column"
            )

    def add_references(self, known: Mapping[str, Mapping[str, str]], pending: Mapping[str, frozenset[str]]) -> None:
        """Tables of the objects that other steps have written, `pending` ones with an id that is not known yet."""
        for step in dict.fromkeys(column.ref for column in self.columns if column.ref is not None):
            there = dict(known.get(step, {}))
            there |= {key: f"{PENDING}{step} {key}" for key in pending.get(step, frozenset()) if key not in there}
            load_pairs(self.connection, f"reference_{step}", there)

    def build(self, keys: Sequence[str], *, key_of_values: bool = False) -> int:
        """Make the table; how many rows it has. `keys` are the box's columns that identify a row;
        with `key_of_values`, all its values do."""
        texts: dict[str, str] = {}
        selected = []
        for index, column in enumerate(self.columns):
            currency = texts.get(column.currency) if column.currency is not None else None
            if column.currency is not None and currency is None:
                currency = self._currency(column.currency)
            text = self._text(index, column, currency)
            texts[column.path] = text
            selected.append(f"{text} AS v{index}")
        key = self._key(keys) if not key_of_values else self._key_of_values()
        joins = "".join(
            self._join(column, index) for index, column in enumerate(self.columns) if column.ref is not None
        )
        bad = number_of_first(self._conditions)
        values = "".join(f", {each}" for each in selected)
        self.connection.execute(
            f"CREATE TEMP TABLE desired AS SELECT *, CAST({key} AS VARCHAR) AS key FROM ("
            f"SELECT _weir_rows.rowid AS row{values}, CAST({bad} AS INTEGER) AS bad"
            f"{self._key_columns(keys)} FROM {SOURCE} AS _weir_rows{joins})"
        )
        return int(self.connection.execute("SELECT count(*) FROM desired").fetchall()[0][0])

    def fail(self, condition: str, problem: Problem) -> int:
        """A further way to be refused, found later: its number. `condition` is for the reader of the SQL only."""
        self.problems.append(problem)
        self._conditions.append(condition)
        return len(self.problems)

    def _text(self, index: int, column: WriteColumn, currency: str | None) -> str:
        if column.ref is not None:
            return self._reference(index, column)
        raw, kind = self._raw(index, column)
        wire = wire_text(raw, kind, column, currency, self.units)
        for misfit in wire.misfits:
            self._add(misfit, Problem(f"`{column.path}`", misfit.problem))
        if column.default is None:
            return wire.text
        plain = wire_text(column.default, self._literal_type(column), column, currency, self.units)
        for misfit in plain.misfits:
            missing = f"({wire.text}) IS NULL AND ({misfit.condition})"
            self._add(Misfit(missing, ""), Problem(f"`{column.path}`", misfit.problem))
        return f"coalesce({wire.text}, {plain.text})"

    def _literal_type(self, column: WriteColumn) -> str:
        ((kind,),) = self.connection.execute(f"SELECT typeof({column.default})").fetchall()
        return str(kind)

    def _reference(self, index: int, column: WriteColumn) -> str:
        raw, kind = self._raw(index, column)
        found = f"_weir_ref_{index}.object"
        self._add(
            Misfit(f"{_plain(raw, kind)} IS NOT NULL AND {found} IS NULL", ""),
            Problem(f"`{column.path}`", f"matches no object of the step `{column.ref}`"),
        )
        return found

    def _join(self, column: WriteColumn, index: int) -> str:
        raw, kind = self._raw(index, column)
        key = f"CAST(to_json([{_plain(raw, kind)}]) AS VARCHAR)"
        table = quote_name(f"reference_{column.ref}")
        return f" LEFT JOIN {table} AS _weir_ref_{index} ON _weir_ref_{index}.key = {key}"

    def _add(self, misfit: Misfit, problem: Problem) -> None:
        self.problems.append(problem)
        self._conditions.append(misfit.condition)

    def _raw(self, index: int, column: WriteColumn) -> tuple[str, str]:
        if column.expr is None and column.source is None:
            return "NULL", '"NULL"'
        name = expression_column(index) if column.expr is not None else column.source or ""
        kind = self._types.get(name.casefold())
        if kind is None:
            raise StoreError("E605", f"the box yields no column `{name}`")
        return f"_weir_rows.{quote_name(name)}", kind

    def _currency(self, path: str) -> str | None:
        for index, column in enumerate(self.columns):
            if column.path == path:
                raw, kind = self._raw(index, column)
                text = _plain(raw, kind)
                return text if column.default is None else f"coalesce({text}, {column.default})"
        return None

    def _key(self, keys: Sequence[str]) -> str:
        return f"to_json([{', '.join(f'_weir_key_{number}' for number in range(len(keys)))}])"

    def _key_of_values(self) -> str:
        return f"to_json([{', '.join(f'v{index}' for index in range(len(self.columns)))}])"

    def _key_columns(self, keys: Sequence[str]) -> str:
        found = ""
        for number, name in enumerate(keys):
            kind = self._types.get(name.casefold())
            if kind is None:
                raise StoreError("E605", f"the box yields no column `{name}`")
            found += f", {_plain(f'_weir_rows.{quote_name(name)}', kind)} AS _weir_key_{number}"
        return found


def _plain(value: str, kind: str) -> str:
    """A value as the text that keys are made of; NULL for empty text."""
    made = cast(value, kind, TEXT)
    return f"nullif({made.value}, '')"


def load_pairs(connection: duckdb.DuckDBPyConnection, name: str, pairs: Mapping[str, str]) -> None:
    """A temporary table (key, object) with these pairs."""
    text = json.dumps([{"key": key, "object": value} for key, value in pairs.items()])
    connection.execute(
        f"CREATE TEMP TABLE {quote_name(name)} AS SELECT unnest(from_json($1::JSON, "
        f"{quote_literal(_PAIRS)}), max_depth := 2)",
        [text],
    )
