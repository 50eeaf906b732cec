"""From compared rows to planned writes: exactly what will be sent, and what that changes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from engine.connector import SourceTable, parameter_path
from engine.graph import Export, Use, WriteColumn
from engine.plan import FieldChange, PlannedWrite, Refusal, StepWrites

from ..columns import describe
from ..problems import Problem
from ..quoting import quote_name
from .compare import Compared, is_json, mirrored, missing_objects, refusal_text

_LISTED = 100


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that something is to be done about."""

    row: int
    key: str
    verdict: str
    object: str | None
    wanted: tuple[str | None, ...]
    shown: tuple[str | None, ...]
    differs: tuple[bool, ...]
    lane: str | None
    whole: Mapping[str, Any]
    """By column, what the object has there as JSON, where parts of it are written."""


def plan_writes(
    connection: duckdb.DuckDBPyConnection, step: Export, table: SourceTable, compared: Compared
) -> StepWrites:
    """All writes of the step, creates first in the order of the box."""
    writes = [_write(step, row) for row in _rows(connection, step, table)]
    if step.on_missing != "keep":
        writes += [_retire(step, key, None, object_id) for key, object_id in missing_objects(connection)]
    counted = connection.execute("SELECT verdict, count(*) FROM compared GROUP BY verdict").fetchall()
    by_verdict = {str(verdict): int(number) for verdict, number in counted}
    return StepWrites(
        step=step.id,
        rows=compared.rows,
        unchanged=by_verdict.get("none", 0),
        refused=by_verdict.get("refused", 0),
        writes=tuple(writes),
        refusals=read_refusals(connection, compared.problems),
        managed=compared.managed,
    )


def read_refusals(connection: duckdb.DuckDBPyConnection, problems: Sequence[Problem]) -> tuple[Refusal, ...]:
    """The first of the rows that are refused."""
    found = connection.execute(
        f"SELECT key, row, {refusal_text(tuple(problems))} FROM compared WHERE verdict = 'refused' "
        f"ORDER BY row LIMIT {_LISTED}"
    ).fetchall()
    return tuple(Refusal(str(key), int(row), str(problem)) for key, row, problem in found)


def _rows(connection: duckdb.DuckDBPyConnection, step: Export, table: SourceTable) -> Iterator[_Row]:
    number = len(step.columns)
    parts = sorted({c.shown.column for c in step.columns if c.shown is not None and is_json(c, table)})
    lanes = list(step.facts.lanes)
    present = {name.casefold() for name in describe(connection, mirrored(table))}
    extra = [f"whole.{quote_name(name)}" if name.casefold() in present else "NULL" for name in (*lanes, *parts)]
    join = ""
    if present:
        join = f" LEFT JOIN {mirrored(table)} AS whole ON whole.id = compared.object"
    else:
        extra = ["NULL" for _ in extra]
    own = [f"compared.{name}" for name in ("row", "key", "verdict", "object")]
    columns = [f"compared.{letter}{index}" for letter in "vcd" for index in range(number)]
    found = connection.execute(
        f"SELECT {', '.join((*own, *columns, *extra))} "
        f"FROM compared{join} WHERE compared.verdict IN ('create', 'update', 'replace', 'delete') ORDER BY compared.row"
    )
    while batch := found.fetchmany(10_000):
        for row, key, verdict, object_id, *rest in batch:
            wanted, shown, differs = rest[:number], rest[number : 2 * number], rest[2 * number : 3 * number]
            tail = rest[3 * number :]
            whole = {name: json.loads(text) for name, text in zip(parts, tail[len(lanes) :], strict=True) if text}
            lane = next((str(each) for each in tail[: len(lanes)] if each), None)
            yield _Row(int(row), key, verdict, object_id, tuple(wanted), tuple(shown), tuple(differs), lane, whole)


def _write(step: Export, row: _Row) -> PlannedWrite:
    if row.verdict == "delete":
        return _retire(step, row.key, row.row, row.object)
    lane = row.lane or _own_lane(step, row) or row.object
    if row.verdict == "update":
        return PlannedWrite(
            Use.UPDATE,
            _target(step, Use.UPDATE),
            row.key,
            row.row,
            row.object,
            tuple(_updated(step, row)),
            tuple(_changes(step.columns, row)),
            lane,
        )
    wanted = zip(step.columns, row.wanted, strict=True)
    parameters = [(column.path, text) for column, text in wanted if text is not None and column.on_create]
    if row.verdict == "create" and step.facts.own_id:
        named = next((n for n, each in enumerate(step.match) if each.path == "id"), None)
        if named is not None and not any(path == "id" for path, _ in parameters):
            parameters.insert(0, ("id", json.loads(row.key)[named]))
    retire = None
    if row.verdict == "replace":
        if step.facts.handover is not None:
            parameters.append((step.facts.handover[0], "true"))
        verb = step.verb(Use.REPLACE)
        retire = (verb.name, tuple(verb.fixed.items())) if verb is not None else None
    changes = _changes(step.columns, row) if row.verdict == "replace" else _made(parameters)
    return PlannedWrite(
        Use.REPLACE if retire is not None else Use.CREATE,
        _target(step, Use.CREATE),
        row.key,
        row.row,
        row.object,
        tuple(parameters),
        tuple(changes),
        lane,
        retire,
    )


def _retire(step: Export, key: str, row: int | None, object_id: str | None) -> PlannedWrite:
    verb = step.verb(Use.RETIRE)
    fixed = tuple(verb.fixed.items()) if verb is not None else ()
    return PlannedWrite(Use.RETIRE, _target(step, Use.RETIRE), key, row, object_id, fixed, (), object_id)


def _target(step: Export, use: Use) -> str:
    verb = step.verb(use)
    if verb is None:
        raise AssertionError(f"`{step.id}` has no verb to {use}")
    return verb.name


def _own_lane(step: Export, row: _Row) -> str | None:
    """What a new object will belong to."""
    for column, value in zip(step.columns, row.wanted, strict=True):
        if column.path in step.facts.lanes and value is not None:
            return value
    return None


def _made(parameters: Sequence[tuple[str, str]]) -> Iterator[FieldChange]:
    yield from (FieldChange(path, None, value) for path, value in parameters)


def _changes(columns: Sequence[WriteColumn], row: _Row) -> Iterator[FieldChange]:
    for column, wanted, shown, differs in zip(columns, row.wanted, row.shown, row.differs, strict=True):
        if differs:
            yield FieldChange(column.path, shown, wanted)


def _updated(step: Export, row: _Row) -> Iterator[tuple[str, str]]:
    """What differs. A part of an object brings its neighbours, as they should be or as they are: providers may put the
    whole in place of what was there."""
    sent: set[str] = set()
    for column, wanted, differs in zip(step.columns, row.wanted, row.differs, strict=True):
        if not differs or column.path in sent:
            continue
        sent.add(column.path)
        yield column.path, wanted or ""
        if column.shown is None or column.shown.column not in row.whole:
            continue
        own = {c.path: text for c, text in zip(step.columns, row.wanted, strict=True) if text or not c.skip_if_empty}
        for path in column.beside:
            text = own[path] if path in own else _at(row.whole[column.shown.column], parameter_path(path)[1:])
            if path not in sent and text:
                sent.add(path)
                yield path, text


def _at(value: Any, way: Sequence[str]) -> str | None:
    """The text of a plain value in an object; None where there is none."""
    for part in way:
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else None
