"""A mirror, boxes and export steps for the tests of comparison, and a provider that makes the planned writes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import duckdb

from engine.connector import Effect, Parameter, ParameterKind, Shown, SourceCatalogue, SourceTable, Verb, parameter_path
from engine.diagnostics import Place
from engine.duck import DuckExporter
from engine.graph import Bound, Box, Call, Caps, EntityFacts, Export, ExportAction, MatchColumn, WriteColumn
from engine.plan import PlannedWrite, StepWrites
from engine.relation import BOOLEAN, FLOAT, INTEGER, JSON, MAP, TEXT, TIMESTAMP, Column, Relation
from engine.run import BoxResult, CallJob, CompareJob, Comparison
from tests.support.duck.staged import DECIMAL, LIMITS, SYSTEM

OWN = (
    Column("id", TEXT, True),
    Column("name", TEXT),
    Column("status", TEXT),
    Column("amount", INTEGER),
    Column("quantity", INTEGER),
    Column("ratio", FLOAT),
    Column("rate", DECIMAL),
    Column("paid", BOOLEAN),
    Column("due", TIMESTAMP),
    Column("address", JSON),
    Column("tags", JSON),
    Column("metadata", MAP),
    Column("currency", TEXT),
    Column("active", BOOLEAN),
    Column("lookup_key", TEXT),
    Column("customer", TEXT),
    Column("parent", TEXT),
)
TABLE = SourceTable("things", Relation((*OWN, *SYSTEM)), ("id",), "", {}, None)
CATALOGUE = SourceCatalogue("v1", {"things": TABLE})
ADDRESS = Parameter(
    "address",
    ParameterKind.OBJECT,
    clears=True,
    fields=tuple(Parameter(each, ParameterKind.TEXT, clears=True) for each in ("city", "line1")),
)
PARAMETERS = {
    each.name: each
    for each in (
        Parameter("name", ParameterKind.TEXT, clears=True, longest=20),
        Parameter("status", ParameterKind.ENUM, values=("new", "old"), clears=True),
        Parameter("amount", ParameterKind.INTEGER, money=True),
        Parameter("quantity", ParameterKind.INTEGER, clears=True),
        Parameter("ratio", ParameterKind.NUMBER, clears=True),
        Parameter("rate", ParameterKind.DECIMAL, clears=True),
        Parameter("paid", ParameterKind.BOOLEAN, clears=True),
        Parameter("due", ParameterKind.INTEGER, clears=True),
        Parameter("tags", ParameterKind.LIST, clears=True, item=Parameter("", ParameterKind.TEXT)),
        Parameter("currency", ParameterKind.TEXT, folded=True),
        Parameter("active", ParameterKind.BOOLEAN),
        Parameter("lookup_key", ParameterKind.TEXT, clears=True),
        Parameter("customer", ParameterKind.TEXT),
        Parameter("parent", ParameterKind.TEXT, clears=True),
        Parameter("id", ParameterKind.TEXT),
        Parameter("secret", ParameterKind.TEXT),
    )
}
PART = Parameter("city", ParameterKind.TEXT, clears=True)
CREATE = Verb("things.create", "POST /v1/things", Effect.DATA, of_object=False)
UPDATE = Verb("things.update", "POST /v1/things/{id}", Effect.DATA, of_object=True)
DELETE = Verb("things.delete", "DELETE /v1/things/{id}", Effect.FINAL, of_object=True)
VOID = Verb("things.void", "POST /v1/things/{id}/void", Effect.FINAL, of_object=True)
ARCHIVE = replace(UPDATE, fixed={"active": "false"})
UNITS = {"eur": 2, "usd": 2, "jpy": 0, "bhd": 3, "isk": 2}
PLACE = Place("interfaces/x.yaml")


def column(path: str, source: str | None = None, **more: Any) -> WriteColumn:
    """A column of a step; `source` is the name of its first part unless it is given."""
    head, *rest = parameter_path(path)
    beside: tuple[str, ...] = ()
    if head == "metadata":
        parameter = Parameter(rest[0], ParameterKind.TEXT, clears=True, longest=20)
    elif head == "address":
        parameter, beside = replace(PART, name=rest[0]), ("address[city]", "address[line1]")
    else:
        parameter = PARAMETERS[head]
    shown = None if head == "secret" else Shown(head, tuple(rest))
    if "expr" not in more and "default" not in more:
        source = source or head
    made = WriteColumn(path, parameter, source=source, shown=shown, beside=beside)
    return replace(made, **more)


def by(path: str, source: str | None = None) -> MatchColumn:
    """A column by which rows match objects."""
    head, *rest = parameter_path(path)
    return MatchColumn(path, source or head, Shown(head, tuple(rest)))


def export(
    action: ExportAction, match: Sequence[MatchColumn], *columns: WriteColumn, on_missing: str = "keep", **more: Any
) -> Export:
    """An export step with all the verbs its action may use; replaced objects are archived."""
    verbs: list[tuple[str, Verb]] = []
    if action in (ExportAction.INSERT, ExportAction.UPSERT):
        verbs.append(("create", CREATE))
    if action in (ExportAction.UPDATE, ExportAction.UPSERT):
        verbs.append(("update", UPDATE))
    ways = {"delete": DELETE, "archive": ARCHIVE, "void": VOID}
    retire = "delete" if action is ExportAction.DELETE else on_missing
    if retire != "keep":
        verbs.append(("retire", ways[retire]))
    if any(each.immutable for each in columns) and more.pop("replaces", True):
        verbs.append(("replace", ARCHIVE))
    made = Export(
        id="a.push",
        interface="a",
        name="push",
        connection="stripe",
        box=Box("SELECT 1", PLACE, ("stripe",), Bound(Relation(()), ())),
        entity="things",
        action=action,
        match=tuple(match),
        columns=columns,
        on_missing=on_missing,
        verbs=tuple(verbs),
        facts=EntityFacts(archives=("active", "false"), minor_units=tuple(UNITS.items())),
        caps=Caps(None, None, 0.5),
        on_error="continue",
        on_empty="continue",
        origin=PLACE,
        after=(),
    )
    return replace(made, **more)


def call(*columns: WriteColumn, key: tuple[str, ...] = (), verb: Verb = VOID) -> Call:
    """A step that calls a function."""
    return Call(
        id="a.call",
        interface="a",
        name="call",
        connection="stripe",
        box=Box("SELECT 1", PLACE, ("stripe",), Bound(Relation(()), ())),
        function=verb.name,
        verb=verb,
        columns=columns,
        key=key,
        returns="things",
        answer=None,
        minor_units=tuple(UNITS.items()),
        caps=Caps(None, None, 0.5),
        on_error="continue",
        on_empty="continue",
        origin=PLACE,
        after=(),
    )


class Shop:
    """A mirror in a folder, and boxes to compare it with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mirror = folder / "mirror.duckdb"
        self.exporter = DuckExporter({"stripe": CATALOGUE}, LIMITS)
        self._numbers = count(1)

    def put(self, *objects: Mapping[str, Any]) -> None:
        """Put objects into the mirror, in place of those with the same ID."""
        with duckdb.connect(str(self.mirror)) as connection:
            columns = ", ".join(f"{each.name} {type_of(each)}" for each in TABLE.relation)
            connection.execute(f"CREATE TABLE IF NOT EXISTS things ({columns})")
            for each in objects:
                connection.execute("DELETE FROM things WHERE id = ?", [each["id"]])
                names, marks = ", ".join(each), ", ".join(mark_of(name) for name in each)
                values = [json.dumps(v) if isinstance(v, dict | list) else v for v in each.values()]
                connection.execute(f"INSERT INTO things ({names}) VALUES ({marks})", values)

    def gone(self, identifier: str) -> None:
        """Mark this object as deleted at the provider."""
        with duckdb.connect(str(self.mirror)) as connection:
            connection.execute("UPDATE things SET _deleted_at = TIMESTAMP '2026-01-01' WHERE id = ?", [identifier])

    def box(self, sql: str) -> BoxResult:
        """The rows of a query in the form of a box result."""
        path = self.folder / f"box{next(self._numbers)}.duckdb"
        with duckdb.connect(str(path)) as connection:
            connection.execute(f"CREATE TABLE result AS {sql}")
            ((rows,),) = connection.execute("SELECT count(*) FROM result").fetchall()
        return BoxResult(path, Relation(()), int(rows))

    def compare(self, step: Export, sql: str, **job: Any) -> Comparison:
        """Compare the rows of a query with the mirror."""
        target = self.folder / f"rows{next(self._numbers)}.duckdb"
        given = {"identities": {}, "references": {}, **job}
        return self.exporter.compare(CompareJob(step, self.mirror, target, **given), self.box(sql))

    def writes(self, step: Export, sql: str, **job: Any) -> StepWrites:
        """The planned writes for the rows of a query."""
        return self.compare(step, sql, **job).writes

    def sent(self, step: Export, sql: str, **job: Any) -> dict[str, str]:
        """The parameters of the only planned write; empty if no write is planned."""
        found = self.writes(step, sql, **job)
        assert found.refused == 0, found.refusals
        assert len(found.writes) <= 1, found.writes
        if not found.writes:
            return {}
        sent = dict(found.writes[0].parameters)
        assert len(sent) == len(found.writes[0].parameters), "nothing is sent twice"
        return sent

    def refusals(self, step: Export, sql: str, **job: Any) -> list[str]:
        """The reasons why rows are refused. Asserts that no write is planned."""
        found = self.writes(step, sql, **job)
        assert found.refused == len(found.refusals)
        assert not {each.row for each in found.refusals} & {each.row for each in found.writes}
        return [each.problem for each in found.refusals]

    def calls(self, step: Call, sql: str, done: Iterable[str] = (), **job: Any) -> StepWrites:
        """The planned calls for the rows of a query."""
        target = self.folder / f"rows{next(self._numbers)}.duckdb"
        given = {"references": {}, **job}
        return self.exporter.plan_calls(CallJob(step, target, dict.fromkeys(done, ""), **given), self.box(sql)).writes

    def do(self, writes: StepWrites) -> dict[str, str]:
        """Make the planned writes as a provider would; the new objects by key."""
        made: dict[str, str] = {}
        for write in writes.writes:
            identifier = write.object or ""
            if write.use in ("create", "replace"):
                identifier = dict(write.parameters).get("id", f"made_{next(self._numbers)}")
                made[write.key] = identifier
                self.put({"id": identifier, "active": True})
            self._change(identifier, write)
            if write.retire is not None and write.object is not None:
                with duckdb.connect(str(self.mirror)) as connection:
                    connection.execute("UPDATE things SET active = FALSE WHERE id = ?", [write.object])
        return made

    def _change(self, identifier: str, write: PlannedWrite) -> None:
        if write.target == "things.delete":
            self.gone(identifier)
            return
        with duckdb.connect(str(self.mirror)) as connection:
            found = connection.execute(
                "SELECT * REPLACE (CAST(to_json(metadata) AS VARCHAR) AS metadata) FROM things WHERE id = ?",
                [identifier],
            )
            names = [each[0] for each in found.description or ()]
            (row,) = found.fetchall()
        shown = {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for name in ("metadata", "address"):
            shown[name] = json.loads(shown.get(name) or "{}") or {}
        for path, text in write.parameters:
            head, *rest = parameter_path(path)
            if rest:
                shown[head].pop(rest[0], None)
                shown[head] |= {rest[0]: text} if text else {}
            elif head not in ("id", "secret", "transfer_lookup_key"):
                shown[head] = _value(head, text)
        self.put(shown)


def _value(name: str, text: str) -> Any:
    if text == "":
        return None
    return datetime.fromtimestamp(int(text), UTC).replace(tzinfo=None) if name == "due" else text


def type_of(column: Column) -> str:
    """The type of a mirror's column."""
    named = {"integer": "BIGINT", "float": "DOUBLE", "text": "VARCHAR", "map": "MAP(VARCHAR, VARCHAR)"}
    return named.get(column.type.kind.value, str(column.type).upper())


def mark_of(name: str) -> str:
    """The placeholder for the value of a mirror's column in a statement."""
    return "CAST(?::JSON AS MAP(VARCHAR, VARCHAR))" if name == "metadata" else "?"
