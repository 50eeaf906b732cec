"""Run state in a SQL database: runs, steps, leases with fencing tokens, tracked parameters, read counts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, exists, func, insert, or_, select, update

from engine.run import ConnectionReads, RunRecord, StepRecord

from .database import insert_into, open_database, sqlite_url
from .tables import LEASES, READS, RUNS, STEPS, TRACKED
from .timestamps import EPOCH, from_microseconds, to_microseconds

LEASE_PREFIX = "interface:"


def open_run_store(path: Path) -> SqlRunStore:
    """The run state in the SQLite file at `path`, created with its folder if missing. Raises `StoreError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqlRunStore(sqlite_url(path))


class SqlRunStore:
    """A `RunStore` in the database at `url`. Safe for concurrent use by threads and processes."""

    def __init__(self, url: str) -> None:
        self._engine: Engine = open_database(url)

    def acquire(self, name: str, owner: str, now: datetime, ttl_seconds: float) -> int | None:
        """See `RunStore.acquire`. A single statement takes the lease: of two processes that race, one gets a token."""
        values = {"name": name, "token": 1, "owner": owner, "expires": _expiry(now, ttl_seconds)}
        statement = insert_into(self._engine, LEASES).values(values)
        taken = statement.on_conflict_do_update(
            index_elements=[LEASES.c.name],
            set_={"token": LEASES.c.token + 1, "owner": owner, "expires": values["expires"]},
            where=or_(LEASES.c.owner.is_(None), LEASES.c.expires <= to_microseconds(now)),
        ).returning(LEASES.c.token)
        with self._engine.begin() as connection:
            token: int | None = connection.scalar(taken)
            return token

    def renew(self, name: str, token: int, now: datetime, ttl_seconds: float) -> bool:
        """See `RunStore.renew`."""
        statement = update(LEASES).where(_held(name, token)).values(expires=_expiry(now, ttl_seconds))
        with self._engine.begin() as connection:
            return connection.execute(statement).rowcount == 1

    def release(self, name: str, token: int) -> None:
        """See `RunStore.release`."""
        with self._engine.begin() as connection:
            connection.execute(update(LEASES).where(_held(name, token)).values(owner=None, expires=0))

    def holder(self, name: str) -> str | None:
        """See `RunStore.holder`."""
        with self._engine.connect() as connection:
            owner: str | None = connection.scalar(select(LEASES.c.owner).where(LEASES.c.name == name))
            return owner

    def evict(self, name: str, owner: str) -> bool:
        """See `RunStore.evict`."""
        held = and_(LEASES.c.name == name, LEASES.c.owner == owner)
        with self._engine.begin() as connection:
            return connection.execute(update(LEASES).where(held).values(owner=None, expires=0)).rowcount == 1

    def begin_run(self, run: RunRecord) -> None:
        """See `RunStore.begin_run`."""
        row = {
            "id": run.id,
            "interfaces": json.dumps(list(run.interfaces)),
            "status": run.status,
            "started": to_microseconds(run.started),
            "ended": None if run.ended is None else to_microseconds(run.ended),
            "started_by": run.user,
            "git_commit": run.commit,
            "plan_hash": run.plan_hash,
            "counts": json.dumps(dict(run.counts)),
            "reads": _reads_json(run.reads),
        }
        with self._engine.begin() as connection:
            connection.execute(insert(RUNS).values(row))

    def end_step(self, run_id: str, step: StepRecord) -> None:
        """See `RunStore.end_step`."""
        number = select(func.coalesce(func.max(STEPS.c.number), 0) + 1).where(STEPS.c.run_id == run_id)
        row = {
            "run_id": run_id,
            "number": number.scalar_subquery(),
            "step": step.step,
            "kind": step.kind,
            "status": step.status,
            "started": to_microseconds(step.started),
            "ended": to_microseconds(step.ended),
            "counts": json.dumps(dict(step.counts)),
            "message": step.message,
        }
        with self._engine.begin() as connection:
            connection.execute(select(RUNS.c.id).where(RUNS.c.id == run_id).with_for_update())
            connection.execute(insert(STEPS).values(row))

    def end_run(
        self,
        run_id: str,
        status: str,
        ended: datetime,
        counts: Mapping[str, int],
        reads: Sequence[ConnectionReads] = (),
    ) -> None:
        """See `RunStore.end_run`."""
        values = {
            "status": status,
            "ended": to_microseconds(ended),
            "counts": json.dumps(dict(counts)),
            "reads": _reads_json(reads),
        }
        with self._engine.begin() as connection:
            connection.execute(update(RUNS).where(RUNS.c.id == run_id).values(values))

    def runs(self, limit: int) -> Sequence[RunRecord]:
        """See `RunStore.runs`."""
        statement = select(RUNS).order_by(RUNS.c.started.desc(), RUNS.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [_run(row) for row in connection.execute(statement)]

    def run(self, run_id: str) -> tuple[RunRecord, Sequence[StepRecord]] | None:
        """See `RunStore.run`."""
        with self._engine.connect() as connection:
            row = connection.execute(select(RUNS).where(RUNS.c.id == run_id)).one_or_none()
            if row is None:
                begins = RUNS.c.id.startswith(run_id, autoescape=True)
                rows = connection.execute(select(RUNS).where(begins).limit(2)).all()
                if len(rows) != 1:
                    return None
                row = rows[0]
            steps = select(STEPS).where(STEPS.c.run_id == row.id).order_by(STEPS.c.number)
            return _run(row), [_step(found) for found in connection.execute(steps)]

    def tracked(self) -> Mapping[tuple[str, str], str]:
        """See `RunStore.tracked`."""
        with self._engine.connect() as connection:
            return {(row.interface, row.parameter): row.value for row in connection.execute(select(TRACKED))}

    def track(self, interface: str, values: Mapping[str, str]) -> None:
        """See `RunStore.track`."""
        with self._engine.begin() as connection:
            for parameter, value in values.items():
                row = {"interface": interface, "parameter": parameter, "value": value}
                statement = insert_into(self._engine, TRACKED).values(row)
                connection.execute(
                    statement.on_conflict_do_update(
                        index_elements=[TRACKED.c.interface, TRACKED.c.parameter], set_={"value": value}
                    )
                )

    def count_reads(self, connection: str, day: date, requests: int) -> None:
        """See `ReadLedger.count_reads`."""
        statement = insert_into(self._engine, READS).values(connection=connection, day=_day(day), requests=requests)
        added = statement.on_conflict_do_update(
            index_elements=[READS.c.connection, READS.c.day], set_={"requests": READS.c.requests + requests}
        )
        with self._engine.begin() as database:
            database.execute(added)

    def reads_since(self, day: date) -> Mapping[str, int]:
        """See `ReadLedger.reads_since`."""
        total = func.sum(READS.c.requests).label("total")
        statement = select(READS.c.connection, total).where(READS.c.day >= _day(day)).group_by(READS.c.connection)
        with self._engine.connect() as database:
            return {row.connection: int(row.total) for row in database.execute(statement)}

    def abandon_dead_runs(self, now: datetime, grace_seconds: float = 5) -> Sequence[str]:
        """Mark `running` runs without a live lease as abandoned: their process has died. Returns their ids.

        Runs younger than `grace_seconds` are ignored.
        """
        with self._engine.begin() as connection:
            old = to_microseconds(now - timedelta(seconds=grace_seconds))
            running = select(RUNS).where(and_(RUNS.c.status == "running", RUNS.c.started <= old))
            dead = [row for row in connection.execute(running) if not _alive(connection, row, now)]
            for row in dead:
                values = {"status": "abandoned", "ended": to_microseconds(now)}
                connection.execute(update(RUNS).where(RUNS.c.id == row.id).values(values))
            return [row.id for row in dead]

    def close(self) -> None:
        """See `RunStore.close`."""
        self._engine.dispose()


def _held(name: str, token: int) -> Any:
    return and_(LEASES.c.name == name, LEASES.c.token == token, LEASES.c.owner.is_not(None))


def _alive(connection: Connection, row: Row[Any], now: datetime) -> bool:
    """True while a lease of one of the run's interfaces, taken by this run's process, has not expired."""
    names = [LEASE_PREFIX + interface for interface in json.loads(row.interfaces)]
    living = and_(LEASES.c.name.in_(names), LEASES.c.owner.is_not(None), LEASES.c.expires > to_microseconds(now))
    later = and_(RUNS.c.started > row.started, RUNS.c.status == "running", RUNS.c.interfaces == row.interfaces)
    if connection.scalar(select(exists().where(later))):
        return False
    return bool(connection.scalar(select(exists().where(living))))


def _day(value: date) -> int:
    return value.toordinal() - EPOCH.date().toordinal()


def _reads_json(reads: Sequence[ConnectionReads]) -> str:
    return json.dumps([asdict(each) for each in reads])


def _expiry(now: datetime, ttl_seconds: float) -> int:
    return to_microseconds(now + timedelta(seconds=ttl_seconds))


def _run(row: Row[Any]) -> RunRecord:
    return RunRecord(
        id=row.id,
        interfaces=tuple(json.loads(row.interfaces)),
        status=row.status,
        started=from_microseconds(row.started),
        ended=None if row.ended is None else from_microseconds(row.ended),
        user=row.started_by,
        commit=row.git_commit,
        plan_hash=row.plan_hash,
        counts=json.loads(row.counts),
        reads=tuple(ConnectionReads(**each) for each in json.loads(row.reads)),
    )


def _step(row: Row[Any]) -> StepRecord:
    return StepRecord(
        step=row.step,
        kind=row.kind,
        status=row.status,
        started=from_microseconds(row.started),
        ended=from_microseconds(row.ended),
        counts=json.loads(row.counts),
        message=row.message,
    )
