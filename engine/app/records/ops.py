"""Writes to providers, as the ledger has them: what there are, one of them, and what a person says became of one."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine import stores
from engine.diagnostics import did_you_mean
from engine.run import (
    DOUBTFUL_STATES,
    LEASE_PREFIX,
    Op,
    OpEnd,
    OpState,
    StoreError,
    describe_process,
    in_words,
    process_is_alive,
    take_lease,
)

from ..errors import Exit, RefusalError
from ..git import user_name
from ..state import utc_now
from ..workspace import Workspace

_CANDIDATES: Final = 4
_LEASE_SECONDS: Final = 30.0
_RUNS: Final = 50
_LONGEST_ID: Final = 255
_SETTLED: Final = {
    "planned": "it was never sent",
    "done": "the provider has done it",
    "failed": "the provider has refused it, so nothing has changed there",
    "dropped": "it will not be sent any more",
}


@dataclass(frozen=True, slots=True)
class ShownOp:
    """A write. `running`: a run of its interface goes on, and may be at work on it."""

    op: Op
    running: bool


def list_ops(
    workspace: Workspace, limit: int, states: Sequence[str] = (), run: str | None = None, step: str | None = None
) -> Sequence[Op]:
    """The newest writes first. RefusalError when there is no project, or no such run or step."""

    workspace.demand_project()
    if not workspace.has_runs:
        return []
    with _ledger(workspace) as ledger:
        found = ledger.ops(limit, [OpState(state) for state in states], run, step)
        if not found and step is not None:
            _demand_step(step, ledger.steps())
    if not found and run is not None:
        _demand_run(workspace, run)
    return found


def show_op(workspace: Workspace, op_id: str) -> ShownOp:
    """The write whose id is this, or begins so. RefusalError when there is none, or more than one."""
    op = _one(workspace, op_id)
    return ShownOp(op, _is_running(workspace.runs(), _interface(op)))


def count_ops(workspace: Workspace, run_id: str) -> Mapping[OpState, int]:
    """How many writes of a run are in which state."""
    workspace.demand_project()
    if not workspace.has_runs:
        return {}
    with _ledger(workspace) as ledger:
        return ledger.count_ops(run_id)


def resolve_op(workspace: Workspace, op_id: str, *, done: bool, object_id: str | None = None) -> Op:
    """Write down what became of a write of which nobody knew, and who said so; the write as it is then.

    `object_id` is what it has made. RefusalError when it is settled already, or a run is at work on it.
    """

    op = _one(workspace, op_id)
    if op.state not in DOUBTFUL_STATES:
        raise _settled(op)
    result = _result(op, done=done, object_id=object_id)
    now = utc_now()
    end = OpEnd(
        id=op.id,
        state=OpState.DONE if done else OpState.DROPPED,
        ended=now,
        result=result,
        failure=op.failure,
        request=op.request,
        note=_note(op, done=done, now=now),
    )
    with _at_rest(workspace, op), _ledger(workspace) as ledger:
        if done and result is not None:
            _demand_free(ledger, op, result)
        resolved = ledger.resolve(end)
        found = ledger.op(op.id)
    if found is None or not resolved:
        raise _settled(found or op)
    return found


@contextmanager
def _ledger(workspace: Workspace) -> Iterator[stores.SqlWriteLedger]:
    """The ledger; RefusalError when it is used and cannot be opened."""

    try:
        yield workspace.ledger()
    except StoreError as error:
        raise RefusalError(Exit.ENVIRONMENT, error.message, error.hint) from None


def _one(workspace: Workspace, op_id: str) -> Op:
    workspace.demand_project()
    found: Sequence[Op] = ()
    if workspace.has_runs and op_id:
        with _ledger(workspace) as ledger:
            found = ledger.ops_beginning(op_id, _CANDIDATES)
    exact = [op for op in found if op.id == op_id]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if not found:
        raise RefusalError(Exit.USAGE, f"no write `{op_id}`", "`weir ops list` lists them")
    more = " …" if len(found) == _CANDIDATES else ""
    listed = ", ".join(f"`{op.id}`" for op in found[: _CANDIDATES - 1])
    raise RefusalError(Exit.USAGE, f"more than one write begins with `{op_id}`", f"say more of it: {listed}{more}")


def _demand_step(step: str, known: Sequence[str]) -> None:

    interfaces = {name.partition(".")[0] for name in known}
    if step in known or step in interfaces:
        return
    listed = f"there are writes of {', '.join(f'`{name}`' for name in known)}" if known else "there are none at all yet"
    hint = did_you_mean(step, [*known, *sorted(interfaces)]) or listed
    raise RefusalError(Exit.USAGE, f"no writes of a step `{step}`", hint)


def _demand_run(workspace: Workspace, run: str) -> None:
    if workspace.runs().run(run) is None:
        message = f"no run `{run}`, or more than one begins so and none of them has such writes"
        raise RefusalError(Exit.USAGE, message, "`weir runs` lists them")


def _interface(op: Op) -> str:
    return op.step.partition(".")[0]


def _is_running(runs: stores.SqlRunStore, interface: str) -> bool:

    holder = runs.holder(f"{LEASE_PREFIX}{interface}")
    if holder is None or not process_is_alive(holder):
        return False
    return any(run.status == "running" and interface in run.interfaces for run in runs.runs(_RUNS))


@contextmanager
def _at_rest(workspace: Workspace, op: Op) -> Iterator[None]:
    """While no run of its interface goes on, unless the write is one that runs leave alone."""

    if op.state is OpState.QUARANTINED:
        yield
        return
    interface = _interface(op)
    name, now = f"{LEASE_PREFIX}{interface}", utc_now()
    runs = workspace.runs()
    token = take_lease(runs, name, describe_process(now), now, _LEASE_SECONDS, process_is_alive)
    if token is None:
        holder = in_words(runs.holder(name) or "another process")
        raise RefusalError(
            Exit.BUSY,
            f"`{interface}` is running, and may be at work on this write: {holder}",
            "wait until it has ended: it may settle the write by itself",
        )
    try:
        yield
    finally:
        runs.release(name, token)


def _settled(op: Op) -> RefusalError:
    why = _SETTLED.get(op.state.value, f"it is {op.state.value}")
    hint = "`weir ops list --state unknown --state quarantined` lists those that do"
    return RefusalError(Exit.USAGE, f"`{op.id}` needs no decision: {why}", hint)


def _result(op: Op, *, done: bool, object_id: str | None) -> str | None:
    """The object that a write stands for when it was done. RefusalError when that is missing or cannot be."""
    if not done:
        if object_id is not None:
            raise RefusalError(Exit.USAGE, "`--object` goes with `--done`: what was not done has made nothing")
        return None
    if object_id is not None and not _is_id(object_id):
        raise RefusalError(Exit.USAGE, f"`{object_id}` is no id of an object")
    if op.use in ("create", "replace"):
        chosen = object_id or dict(op.parameters).get("id")
        if chosen is None:
            raise RefusalError(
                Exit.USAGE,
                "it makes an object: say which one it made",
                f"look for it at the provider, and say `weir ops resolve {op.id} --done --object ID`; "
                "if there is none, say `--not-done`",
            )
        return chosen
    if object_id is not None and op.object is not None and op.use != "call" and object_id != op.object:
        raise RefusalError(Exit.USAGE, f"it is about `{op.object}`, not `{object_id}`", "leave `--object` out")
    return object_id or op.object


def _is_id(text: str) -> bool:
    return 0 < len(text) <= _LONGEST_ID and text.isprintable() and not any(letter.isspace() for letter in text)


def _demand_free(ledger: stores.SqlWriteLedger, op: Op, object_id: str) -> None:
    """RefusalError when another key of the step stands for the object already: two rows would fight over it."""
    if op.use not in ("create", "replace"):
        return
    others = [
        key for key, known in ledger.identities(op.connection, op.step).items() if known == object_id and key != op.key
    ]
    if others:
        label = ", ".join(str(part) for part in json.loads(others[0]))
        raise RefusalError(
            Exit.USAGE, f"`{object_id}` stands for the row {label} already", "look again which object this write made"
        )


def _note(op: Op, *, done: bool, now: datetime) -> str:
    said = f"{user_name()} said at {now:%Y-%m-%d %H:%M:%S} UTC that it was {'done' if done else 'not done'}"
    return f"{said} (before: {op.note})" if op.note else said
