"""Compares a box's rows with the mirror, by sets, to find the writes that bring the provider's objects up to date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import duckdb

from engine.connector import ParameterKind, SourceTable
from engine.graph import Export, ExportAction, Use, WriteColumn
from engine.relation import Column, Kind

from ..columns import describe
from ..problems import Problem, choose
from ..quoting import quote_literal, quote_name
from ..statements import load_statements
from ..system_columns import DELETED_AT
from ..types import sql_type
from .rows import DesiredRows, load_pairs
from .values import shown_text

_SQL: Final = load_statements(__package__, "compare.sql")

MIRROR: Final = "mirror"
"""The name under which the mirror's file is attached."""


NOT_SETTLED: Final = "has an earlier write with an unknown outcome: `weir ops list` shows it"


@dataclass(frozen=True, slots=True)
class Compared:
    """The temporary table `compared`: row, key, verdict (none, create, update, replace, delete, refused), object, bad,
    and of each column v<n> (what it should be), c<n> (what it is), d<n> (whether that is to be changed)."""

    problems: tuple[Problem, ...]
    columns: tuple[WriteColumn, ...]
    rows: int
    managed: int


def mirrored(table: SourceTable) -> str:
    """A table of the mirror in SQL."""
    return f"{MIRROR}.main.{quote_name(table.name)}"


def compare(
    connection: duckdb.DuckDBPyConnection,
    step: Export,
    table: SourceTable,
    desired: DesiredRows,
    identities: Mapping[str, str],
    blocked: frozenset[str] = frozenset(),
) -> Compared:
    """Create `compared` from the box, the mirror and the step's earlier writes."""
    rows = desired.build([each.source for each in step.match])
    load_pairs(connection, "known", identities)
    load_pairs(connection, "blocked", dict.fromkeys(sorted(blocked), ""))
    _make_current(connection, step, table)
    _resolve(connection)
    conditions = _Conditions(step, desired, table)
    columns = step.columns
    differing = "".join(f", {conditions.differs(index)} AS d{index}" for index in range(len(columns)))
    connection.execute(
        f"CREATE TEMP TABLE compared AS SELECT *, {conditions.verdict()} AS verdict FROM ("
        f"SELECT *, CASE WHEN bad <> 0 THEN bad {conditions.bad()} ELSE 0 END AS refusal FROM ("
        f"SELECT resolved.*{_current_values(columns)}, archived{differing} FROM resolved "
        f"LEFT JOIN objects ON objects.id = resolved.object))"
    )
    ((managed,),) = connection.execute("SELECT count(*) FROM known").fetchall()
    return Compared(tuple(desired.problems), columns, rows, int(managed))


def _make_current(connection: duckdb.DuckDBPyConnection, step: Export, table: SourceTable) -> None:
    """`objects`: id, key (NULL where one of its parts is missing), archived, c0 …: all live objects of the mirror."""
    relation = table.relation
    present = {name.casefold() for name in describe(connection, mirrored(table))}
    values = "".join(f", {_shown(column, table)} AS c{index}" for index, column in enumerate(step.columns))
    parts = [shown_text(each.shown, relation, ParameterKind.TEXT) for each in step.match]
    complete = " AND ".join(f"{part} IS NOT NULL" for part in parts)
    key = f"CASE WHEN {complete} THEN CAST(to_json([{', '.join(parts)}]) AS VARCHAR) END"
    archives = step.facts.archives
    archived = "FALSE"
    if archives is not None:
        archived = f"coalesce(CAST({quote_name(archives[0])} AS VARCHAR) = {quote_literal(archives[1])}, FALSE)"
    absent = [column for column in relation if column.name.casefold() not in present]
    nulls = "".join(f", {_null(column)}" for column in absent)
    source = f"(SELECT *{nulls} FROM {mirrored(table)})"
    if not present:  # the table was never read: it has no objects
        source = f"(SELECT {', '.join(map(_null, relation))} WHERE FALSE)"
    connection.execute(
        f"CREATE TEMP TABLE objects AS SELECT CAST(id AS VARCHAR) AS id, {key} AS key, {archived} AS archived{values} "
        f"FROM {source} WHERE {DELETED_AT} IS NULL"
    )


def _null(column: Column) -> str:
    """A missing column. Its type matters: before 2.0, DuckDB stores an untyped NULL as an integer."""
    return f"CAST(NULL AS {sql_type(column.type)}) AS {quote_name(column.name)}"


def find_objects(
    connection: duckdb.DuckDBPyConnection, step: Export, table: SourceTable, keys: Sequence[str]
) -> dict[str, str]:
    """The live object with each key; keys with none or several are absent."""
    _make_current(connection, step, table)
    load_pairs(connection, "wanted", dict.fromkeys(keys, ""))
    found = connection.execute(_SQL["find_objects"]).fetchall()
    return {str(key): str(identifier) for key, identifier in found}


def _shown(column: WriteColumn, table: SourceTable) -> str:
    if column.shown is None:
        return "NULL::VARCHAR"
    return shown_text(column.shown, table.relation, column.parameter.kind)


def _resolve(connection: duckdb.DuckDBPyConnection) -> None:
    """`resolved`: the desired rows with the object that each matches, how many could match, and how many rows match
    the same object."""
    connection.execute(_SQL["make_candidates"])
    connection.execute(_SQL["make_resolved"])


def _current_values(columns: tuple[WriteColumn, ...]) -> str:
    return "".join(f", c{index}" for index in range(len(columns)))


class _Conditions:
    """The decisions about a row, as SQL over `resolved` joined with `objects`."""

    def __init__(self, step: Export, desired: DesiredRows, table: SourceTable) -> None:
        self._step = step
        self._desired = desired
        self._table = table
        self._can_replace = step.verb(Use.REPLACE) is not None and step.verb(Use.CREATE) is not None
        self._updates = step.verb(Use.UPDATE) is not None or self._can_replace

    def differs(self, index: int) -> str:
        """SQL for whether an existing object has a different value than the row wants."""
        column, v, c = self._step.columns[index], f"v{index}", f"c{index}"
        if column.shown is None or not self._updates:
            return "FALSE"
        if column.skip_if_empty or column.immutable:
            return f"(object IS NOT NULL AND {v} IS NOT NULL AND {v} IS DISTINCT FROM {c})"
        return f"(object IS NOT NULL AND {v} IS DISTINCT FROM {c})"

    def bad(self) -> str:
        """SQL cases that refuse a row once its object is resolved."""
        cases = [
            self._case(self._keyless(), Problem(self._match(), "has no value to match its object by")),
            self._case("key IN (SELECT key FROM blocked)", Problem(self._match(), NOT_SETTLED)),
            self._case("doubles > 1", Problem(self._match(), "has the same value in another row of the box")),
            self._case("number > 1", Problem(self._match(), "matches more than one object")),
            self._case(
                "object IS NOT NULL AND claims > 1", Problem(self._match(), "matches the object of another row")
            ),
        ]
        acts = self._step.action in (ExportAction.UPDATE, ExportAction.UPSERT)
        for index, column in enumerate(self._step.columns):
            if not acts or column.shown is None:
                continue
            if column.immutable and not self._can_replace:
                text = "cannot be changed: it is accepted only when an object is created"
                cases.append(self._case(f"d{index}", Problem(f"`{column.path}`", text)))
            elif not column.immutable and not column.parameter.clears and not column.skip_if_empty:
                text = "cannot be removed from an object that has it"
                condition = f"object IS NOT NULL AND v{index} IS NULL AND c{index} IS NOT NULL"
                cases.append(self._case(condition, Problem(f"`{column.path}`", text)))
        if self._step.action in (ExportAction.INSERT, ExportAction.UPSERT):
            for index, column in enumerate(self._step.columns):
                if column.parameter.required and "[" not in column.path:
                    text = "has no value and is required to create an object"
                    condition = f"object IS NULL AND v{index} IS NULL"
                    cases.append(self._case(condition, Problem(f"`{column.path}`", text)))
        return " ".join(cases)

    def verdict(self) -> str:
        """SQL for the verdict on a row."""
        action = self._step.action
        if action is ExportAction.DELETE:
            return "CASE WHEN refusal <> 0 THEN 'refused' WHEN object IS NULL THEN 'none' ELSE 'delete' END"
        new = "'none'" if action is ExportAction.UPDATE else "'create'"
        old = "'none'"
        if action is not ExportAction.INSERT:
            fixed = [f"d{n}" for n, column in enumerate(self._step.columns) if column.immutable and self._can_replace]
            free = [f"d{n}" for n, column in enumerate(self._step.columns) if not column.immutable]
            replace = f"WHEN {' OR '.join(fixed)} THEN 'replace' " if fixed else ""
            update = f"WHEN {' OR '.join(free)} THEN 'update' " if free else ""
            old = f"CASE {replace}{update}ELSE 'none' END" if replace or update else "'none'"
        return f"CASE WHEN refusal <> 0 THEN 'refused' WHEN object IS NULL THEN {new} ELSE {old} END"

    def _case(self, condition: str, problem: Problem) -> str:
        return f"WHEN {condition} THEN {self._desired.fail(condition, problem)}"

    def _keyless(self) -> str:
        return (
            "key LIKE '%null%' AND ("
            + " OR ".join(f"json_type(key, '$[{number}]') = 'NULL'" for number in range(len(self._step.match)))
            + ")"
        )

    def _match(self) -> str:
        return ", ".join(f"`{each.source}`" for each in self._step.match)


def refusal_text(problems: tuple[Problem, ...]) -> str:
    """SQL for why a row of `compared` is refused."""
    return choose("refusal", (quote_literal(f"{problem.subject} {problem.text}") for problem in problems))


def missing_objects(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, str]]:
    """(key, object) of objects that the step has written and that no row matches any more, except archived objects and
    those with an unsettled write."""
    found = connection.execute(_SQL["missing_objects"]).fetchall()
    yield from ((str(key), str(object_id)) for key, object_id in found)


def is_json(column: WriteColumn, table: SourceTable) -> bool:
    """Whether the value is a part of something larger that objects show as JSON."""
    found = table.relation.find(column.shown.column) if column.shown is not None else None
    return found is not None and found.type.kind is Kind.JSON and bool(column.shown and column.shown.path)
