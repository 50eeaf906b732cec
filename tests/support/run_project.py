"""A small project on real DuckDB files: a provider that serves rows of a JSON file, and plans built by tests."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from engine.connector import (
    EVERYTHING,
    ConnectorError,
    Failure,
    FailureKind,
    Need,
    Predicate,
    Read,
    Request,
    SliceReport,
    SliceTotals,
    SourceCatalogue,
    SourceTable,
    encode_slice,
    encode_totals,
)
from engine.connector.spool import SpoolWriter
from engine.diagnostics import Place
from engine.duck import DuckBoxRunner, DuckStaging, DuckTableStore, fetch_rows
from engine.graph import SCHEMA_NAMESPACE, Action, Bound, Box, Extract, Import, MapColumn, Respond, StopIf
from engine.plan import ConnectionSettings, Estimate, Plan, Task
from engine.relation import BOOLEAN, INTEGER, JSON, TEXT, TIMESTAMP, Column, Relation
from engine.run import (
    BoxLimits,
    Coverage,
    Json,
    Output,
    OutputFile,
    TaskContext,
    World,
    describe_process,
    process_is_alive,
)
from engine.testing.fakes import DirectExecutor, MemoryRunStore, RunMemory

SYSTEM = (
    Column("_account", TEXT, True), Column("_livemode", BOOLEAN, True), Column("_api_version", TEXT, True),
    Column("_read_at", TIMESTAMP, True), Column("_changed_at", TIMESTAMP), Column("_source", TEXT, True),
    Column("_deleted_at", TIMESTAMP), Column("_extra", JSON),
)  # fmt: skip
OWN = (Column("id", TEXT, True), Column("amount", INTEGER), Column("created", TIMESTAMP))
TABLES = ("customers", "charges")
CATALOGUE = SourceCatalogue(
    "v1", {name: SourceTable(name, Relation((*OWN, *SYSTEM)), ("id",), "", {}, "created") for name in TABLES}
)
MONEY = Relation((Column("id", TEXT, True), Column("amount", INTEGER)))
SETTINGS = ConnectionSettings("stripe", "fake", "local", 1000, ("env", "KEY"), "v1", None, None, None, None)


def extract_rows(config: Mapping[str, Json], payload: Json, context: TaskContext) -> Output:
    """The provider: `config["rows"]` names a JSON file {table: [row, …] or a failure's kind}; two rows a slice."""
    assert isinstance(payload, Mapping)
    tables = json.loads(Path(str(config["rows"])).read_text())
    reads = msgspec.convert(payload["reads"], list[Read])
    state: dict[str, int] = dict(payload["state"] or {})  # type: ignore[call-overload]
    files, coverage = [], []
    left = False
    requests: dict[str, int] = {}
    sizes: dict[str, int] = {}
    failures: list[Failure] = []
    for read in reads:
        rows, start = tables[read.table], state.get(read.table, 0)
        if isinstance(rows, str) and rows.startswith("report "):
            failures.append(Failure(FailureKind(rows.removeprefix("report ")), "gone", table=read.table))
            continue
        if isinstance(rows, str):
            raise ConnectorError(Failure(FailureKind(rows), f"no {read.table} for you", "ask nicely", table=read.table))
        if start > len(rows):
            continue
        if rows[start : start + 2]:
            files.append(spool(context.directory / f"{read.table}.spool", read.table, rows[start : start + 2]))
        requests[read.table] = 1
        sizes[read.table] = len(rows[start : start + 2])
        context.report(encode_totals(SliceTotals({"sent": sum(requests.values())}, sizes, requests)))
        state[read.table] = start + 2
        if start + 2 <= len(rows):
            left = True
            continue
        state[read.table] = len(rows) + 1
        coverage.append(
            Coverage(
                "",
                read.table,
                EVERYTHING,
                read.where,
                datetime(2026, 1, 1, tzinfo=UTC),
                "list",
                "v1",
                1,
                len(rows),
                True,
            )
        )
    report = SliceReport(
        remaining=state if left else None,
        coverage=tuple(coverage),
        failures=tuple(failures),
        totals=SliceTotals({"sent": sum(requests.values())}, sizes, requests),
    )
    return Output(tuple(files), encode_slice(report))


def spool(path: Path, table: str, rows: Sequence[Mapping[str, object]]) -> OutputFile:
    writer = SpoolWriter(path)
    writer.write(json.dumps({"object": "list", "data": list(rows)}).encode(), len(rows))
    writer.close()
    meta = {"account": None, "livemode": False, "api_version": "v1", "source": "list", "extra": False, "drift": []}
    return OutputFile(str(path), len(rows), table, meta)


class Project:
    """A folder with the rows of a provider and everything that a run of a plan needs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.memory = RunMemory()
        self.ids = 0
        self.stop = threading.Event()
        self.events: list[Any] = []
        self.provide(customers=[], charges=[])

    def provide(self, **tables: object) -> None:
        present = json.loads(self.provider.read_text()) if self.provider.exists() else {}
        self.provider.write_text(json.dumps({**present, **tables}))

    @property
    def provider(self) -> Path:
        return self.folder / "provider.json"

    @property
    def store(self) -> Path:
        return self.folder / ".weir" / "store.duckdb"

    @property
    def staging(self) -> Path:
        return self.folder / ".weir" / "staging" / "stripe.duckdb"

    def world(self, **changes: Any) -> World:
        schema = dict.fromkeys(("money", "more"), MONEY)
        made = World(
            now=lambda: datetime.now(UTC),
            executor=DirectExecutor(),
            staging=lambda _: DuckStaging(self.staging, CATALOGUE),
            extraction=lambda _: ("tests.support.run_project:extract_rows", {"rows": str(self.provider)}),
            accounts=lambda _settings, _sent: (None,),
            boxes=DuckBoxRunner({"stripe": self.staging}, {"stripe": CATALOGUE}, self.store, schema),
            fetch=fetch_rows,
            tables=DuckTableStore(self.store),
            runs=MemoryRunStore(self.memory),
            reads=MemoryRunStore(self.memory),
            directory=self.folder / ".weir",
            limits=BoxLimits(256 << 20, 20, 1, 256 << 20),
            owner=describe_process(datetime.now(UTC)),
            is_alive=process_is_alive,
            new_id=self._new_id,
            user="ada",
            commit="abc",
            cancelled=self.stop.is_set,
        )
        return replace(made, **changes)

    def _new_id(self, _now: datetime) -> str:
        self.ids += 1
        return f"run-{self.ids}"

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.store), read_only=True) as connection:
            return connection.execute(sql).fetchall()


def plan(*tasks: Task) -> Plan:
    interfaces = dict.fromkeys(task.step.interface for task in tasks if not isinstance(task.step, Extract))
    return Plan(tuple(interfaces), (SETTINGS,), tasks, (), "sha256:1")


def extract(table: str, where: tuple[tuple[Predicate, ...], ...] = ((),)) -> Task:
    read = Read(table, ("id", "amount"), where, (Request("GET", f"/v1/{table}", {}),), "all of it")
    step = Extract(f"stripe.{table}", "stripe", table, (("a.load", Need(table, ("id", "amount"))),))
    return Task(step, "read", "needed", Estimate(None, None), (), (read,))


def box(sql: str, relation: Relation, *, schema_only: bool = False) -> Box:
    scope = (SCHEMA_NAMESPACE,) if schema_only else ("stripe", SCHEMA_NAMESPACE)
    return Box(sql, Place("interfaces/a.yaml", ("steps", 0)), scope, Bound(relation, ()))


def load(step_id: str, sql: str, *needs: str, into: str = "money", **changes: Any) -> Task:
    interface, _, name = step_id.partition(".")
    source = changes.pop("relation", MONEY)
    schema_only = "connection" in changes and changes["connection"] is None
    step = Import(
        id=step_id, interface=interface, name=name, connection="stripe", box=box(sql, source, schema_only=schema_only),
        into=into, relation=MONEY, key=("id",), action=Action.UPSERT, match=(("id", "id"),),
        mapping=(MapColumn("id", source="id"), MapColumn("amount", source="amount")), on_error="stop",
        on_empty="continue", snapshot=False, origin=Place("interfaces/a.yaml"), after=(),
    )  # fmt: skip
    return Task(replace(step, **changes), "write", "asked", Estimate(None, None), needs)


def stop_if(step_id: str, sql: str, *needs: str, relation: Relation | None = None) -> Task:
    interface, _, name = step_id.partition(".")
    yields = relation or Relation((Column("stop", BOOLEAN),))
    step = StopIf(step_id, interface, name, box(sql, yields, schema_only=True), Place("interfaces/a.yaml"), ())
    return Task(step, "ask", "asked", Estimate(None, None), needs)


def respond(step_id: str, sql: str, *needs: str) -> Task:
    interface, _, name = step_id.partition(".")
    step = Respond(step_id, interface, name, box(sql, MONEY, schema_only=True), Place("interfaces/a.yaml"), ())
    return Task(step, "answer", "asked", Estimate(None, None), needs)
