"""From planned writes to ops of the ledger, and from there to requests."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count

from engine.connector import WriteRequest
from engine.graph import Use
from engine.plan import PENDING, PlannedWrite

from ..ports.ledger import Op, OpState


def make_ops(
    writes: Iterable[PlannedWrite], run: str, step: str, connection: str, now: datetime
) -> Iterator[tuple[Op, PlannedWrite]]:
    """An op for each request that the writes take, with the write that it belongs to. Ids are new each time: a key that
    was made from what is sent would make a change back within a day do nothing."""
    numbers = count(1)
    for write in writes:
        number = next(numbers)
        first = Op(
            id=_new_id(run, number),
            run=run,
            step=step,
            connection=connection,
            number=number,
            use=write.use.value,
            target=write.target,
            key=write.key,
            object=None if write.use is Use.REPLACE else write.object,
            parameters=_settled(write.parameters),
            state=OpState.PLANNED,
            planned=now,
            lane=write.lane,
        )
        yield first, write
        if write.retire is not None:
            target, parameters = write.retire
            number = next(numbers)
            yield (
                Op(
                    id=_new_id(run, number),
                    run=run,
                    step=step,
                    connection=connection,
                    number=number,
                    use="replaced",
                    target=target,
                    key=write.key,
                    object=write.object,
                    parameters=parameters,
                    state=OpState.PLANNED,
                    planned=now,
                    lane=write.lane,
                    requires=first.id,
                ),
                write,
            )


def request_of(op: Op) -> WriteRequest:
    """What is sent for an op: the same each time."""
    return WriteRequest(op.id, op.target, op.object, op.parameters, op.lane, op.requires)


def renewed(op: Op, run: str, now: datetime) -> Op:
    """The same write under a new id, planned in this run."""
    return replace(
        op,
        id=_new_id(run, op.number),
        run=run,
        state=OpState.PLANNED,
        planned=now,
        sent=None,
        failure=None,
        request=None,
    )


def _new_id(run: str, number: int) -> str:
    return f"{run}-{number:06d}-{secrets.token_hex(4)}"


def _settled(parameters: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    for path, text in parameters:
        if text.startswith(PENDING):
            raise AssertionError(f"`{path}` is an id that is not there yet")
    return parameters
