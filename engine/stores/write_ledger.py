"""The write ledger in a SQL database: each write is durable before its request is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Row, Update, bindparam, delete, func, insert, select, update

from engine.connector import Failure
from engine.run import DOUBTFUL_STATES, OPEN_STATES, Op, OpEnd, OpState

from .database import insert_into, open_database, sqlite_url
from .tables import IDENTITIES, OPS
from .timestamps import from_microseconds, to_microseconds

_BATCH = 500
_MADE = ("create", "replace")
_DOUBTFUL = sorted(state.value for state in DOUBTFUL_STATES)


def open_write_ledger(path: Path) -> SqlWriteLedger:
    """The ledger in the SQLite file at `path`, which run state may share. Its first use opens the file and raises
    `StoreError` if that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqlWriteLedger(sqlite_url(path))


class SqlWriteLedger:
    """A `WriteLedger` in the database at `url`. Safe for concurrent use by threads and processes."""

    def __init__(self, url: str) -> None:
        self._url = url

    @cached_property
    def _engine(self) -> Engine:
        """Opened on first use: most runs write nothing."""
        return open_database(self._url, durable=True)

    def plan_ops(self, ops: Sequence[Op]) -> None:
        """See `WriteLedger.plan_ops`."""
        if ops:
            with self._engine.begin() as connection:
                connection.execute(insert(OPS), [_values(op) for op in ops])

    def mark_sent(self, ids: Sequence[str], now: datetime) -> None:
        """See `WriteLedger.mark_sent`."""
        first = {"state": OpState.SENT.value, "sent": func.coalesce(OPS.c.sent, to_microseconds(now))}
        with self._engine.begin() as connection:
            for some in _batches(ids):
                connection.execute(update(OPS).where(OPS.c.id.in_(some)).values(first))

    def end_ops(self, ends: Sequence[OpEnd]) -> None:
        """See `WriteLedger.end_ops`."""
        if not ends:
            return
        with self._engine.begin() as connection:
            connection.execute(_end_statement(), [_ended(end) for end in ends])
            done = [end for end in ends if end.state is OpState.DONE]
            for some in _batches([end.id for end in done]):
                self._note_identities(connection, some, done)

    def resolve(self, end: OpEnd) -> bool:
        """See `WriteLedger.resolve`."""
        with self._engine.begin() as connection:
            statement = _end_statement().where(OPS.c.state.in_(_DOUBTFUL))
            if connection.execute(statement, _ended(end)).rowcount != 1:
                return False
            if end.state is OpState.DONE:
                self._note_identities(connection, [end.id], [end])
            return True

    def _note_identities(self, connection: Connection, ids: Sequence[str], ends: Sequence[OpEnd]) -> None:
        """Bind keys to the objects that were created, and remove the bindings of retired ones."""
        since = {end.id: to_microseconds(end.ended) for end in ends}
        rows = connection.execute(select(OPS).where(OPS.c.id.in_(ids))).all()
        made = [
            {
                "connection": row.connection,
                "step": row.step,
                "row_key": row.row_key,
                "object": row.result,
                "since": since[row.id],
            }
            for row in rows
            if row.use_of in _MADE and row.result is not None
        ]
        if made:
            self._remember(connection, made)
        for row in rows:
            if row.use_of == "retire" and row.object is not None:
                own = (IDENTITIES.c.connection == row.connection) & (IDENTITIES.c.object == row.object)
                connection.execute(delete(IDENTITIES).where(own))

    def staged(self, ids: Sequence[str]) -> None:
        """See `WriteLedger.staged`."""
        with self._engine.begin() as connection:
            for some in _batches(ids):
                connection.execute(update(OPS).where(OPS.c.id.in_(some)).values(answer=None))

    def unstaged(self, connection: str) -> Sequence[Op]:
        """See `WriteLedger.unstaged`."""
        where = (OPS.c.connection == connection) & OPS.c.answer.is_not(None)
        return self._ops(select(OPS).where(where).order_by(OPS.c.planned, OPS.c.number))

    def open_ops(self, connection: str) -> Sequence[Op]:
        """See `WriteLedger.open_ops`."""
        states = [state.value for state in OPEN_STATES]
        where = (OPS.c.connection == connection) & OPS.c.state.in_(states)
        return self._ops(select(OPS).where(where).order_by(OPS.c.planned, OPS.c.number))

    def identities(self, connection: str, step: str) -> Mapping[str, str]:
        """See `WriteLedger.identities`."""
        where = (IDENTITIES.c.connection == connection) & (IDENTITIES.c.step == step)
        with self._engine.connect() as opened:
            found = opened.execute(select(IDENTITIES.c.row_key, IDENTITIES.c.object).where(where))
            return {row.row_key: row.object for row in found}

    def remember(self, connection: str, step: str, found: Iterable[tuple[str, str]], now: datetime) -> None:
        """See `WriteLedger.remember`."""
        rows = [
            {"connection": connection, "step": step, "row_key": key, "object": value, "since": to_microseconds(now)}
            for key, value in found
        ]
        if rows:
            with self._engine.begin() as opened:
                self._remember(opened, rows)

    def _remember(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        statement = insert_into(self._engine, IDENTITIES)
        statement = statement.on_conflict_do_update(
            index_elements=[IDENTITIES.c.connection, IDENTITIES.c.step, IDENTITIES.c.row_key],
            set_={"object": statement.excluded.object, "since": statement.excluded.since},
        )
        connection.execute(statement, [dict(row) for row in rows])

    def blocked(self, connection: str, step: str) -> frozenset[str]:
        """See `WriteLedger.blocked`."""
        own = (OPS.c.connection == connection) & (OPS.c.step == step)
        with self._engine.connect() as opened:
            return frozenset(opened.scalars(select(OPS.c.row_key).where(own & OPS.c.state.in_(_DOUBTFUL))))

    def called(self, connection: str, step: str) -> Mapping[str, str]:
        """See `WriteLedger.called`."""
        own = (OPS.c.connection == connection) & (OPS.c.step == step)
        where = own & (OPS.c.use_of == "call") & (OPS.c.state == OpState.DONE.value)
        with self._engine.connect() as opened:
            found = opened.execute(select(OPS.c.row_key, OPS.c.result).where(where))
            return {row.row_key: row.result or "" for row in found}

    def ops(
        self, limit: int, states: Sequence[OpState] = (), run: str | None = None, step: str | None = None
    ) -> Sequence[Op]:
        """See `WriteLedger.ops`."""
        statement = select(OPS).order_by(OPS.c.planned.desc(), OPS.c.number.desc()).limit(limit)
        if states:
            statement = statement.where(OPS.c.state.in_([state.value for state in states]))
        if run is not None:
            statement = statement.where(OPS.c.run_id.startswith(run, autoescape=True))
        if step is not None:
            statement = statement.where((OPS.c.step == step) | OPS.c.step.startswith(f"{step}.", autoescape=True))
        return self._ops(statement)

    def op(self, op_id: str) -> Op | None:
        """See `WriteLedger.op`."""
        found = self.ops_beginning(op_id, 2)
        is_whole = bool(found) and found[0].id == op_id  # the shortest comes first
        return found[0] if len(found) == 1 or is_whole else None

    def ops_beginning(self, op_id: str, limit: int) -> Sequence[Op]:
        """See `WriteLedger.ops_beginning`."""
        begins = OPS.c.id.startswith(op_id, autoescape=True)
        return self._ops(select(OPS).where(begins).order_by(OPS.c.id).limit(limit))

    def count_ops(self, run: str) -> Mapping[OpState, int]:
        """See `WriteLedger.count_ops`."""
        counted = select(OPS.c.state, func.count().label("number")).where(OPS.c.run_id == run).group_by(OPS.c.state)
        with self._engine.connect() as connection:
            found = {OpState(row.state): int(row.number) for row in connection.execute(counted)}
        return {state: found[state] for state in OpState if state in found}

    def steps(self) -> Sequence[str]:
        """See `WriteLedger.steps`."""
        with self._engine.connect() as connection:
            return list(connection.scalars(select(OPS.c.step).distinct().order_by(OPS.c.step)))

    def close(self) -> None:
        """Release the database."""
        if "_engine" in self.__dict__:
            self._engine.dispose()

    def _ops(self, statement: Any) -> Sequence[Op]:
        with self._engine.connect() as connection:
            return [_op(row) for row in connection.execute(statement)]


_ENDED = ("state", "ended", "result", "failure", "request", "note", "answer")


def _end_statement() -> Update:
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _ENDED}
    return update(OPS).where(OPS.c.id == bindparam("op_id")).values(values)


def _batches(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _BATCH):
        yield ids[start : start + _BATCH]


def _values(op: Op) -> dict[str, Any]:
    return {
        "id": op.id,
        "run_id": op.run,
        "step": op.step,
        "connection": op.connection,
        "number": op.number,
        "use_of": op.use,
        "target": op.target,
        "row_key": op.key,
        "object": op.object,
        "parameters": json.dumps(op.parameters),
        "state": op.state.value,
        "planned": to_microseconds(op.planned),
        "lane": op.lane,
        "requires": op.requires,
        "sent": to_microseconds(op.sent) if op.sent is not None else None,
    }


def _ended(end: OpEnd) -> dict[str, Any]:
    return {
        "op_id": end.id,
        "new_state": end.state.value,
        "new_ended": to_microseconds(end.ended),
        "new_result": end.result,
        "new_failure": msgspec.json.encode(end.failure).decode() if end.failure is not None else None,
        "new_request": end.request,
        "new_note": end.note,
        "new_answer": end.answer.decode() if end.answer is not None else None,
    }


def _op(row: Row[Any]) -> Op:
    return Op(
        id=row.id,
        run=row.run_id,
        step=row.step,
        connection=row.connection,
        number=row.number,
        use=row.use_of,
        target=row.target,
        key=row.row_key,
        object=row.object,
        parameters=tuple((path, text) for path, text in json.loads(row.parameters)),
        state=OpState(row.state),
        planned=from_microseconds(row.planned),
        lane=row.lane,
        requires=row.requires,
        sent=from_microseconds(row.sent) if row.sent is not None else None,
        ended=from_microseconds(row.ended) if row.ended is not None else None,
        result=row.result,
        failure=msgspec.json.decode(row.failure, type=Failure) if row.failure is not None else None,
        request=row.request,
        note=row.note,
        answer=row.answer.encode() if row.answer is not None else None,
    )
