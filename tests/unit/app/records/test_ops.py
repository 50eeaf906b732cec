"""Recording the outcome of a write by hand, and what the ledger holds afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.app.authoring.scaffold import start_project
from engine.app.errors import Exit, RefusalError
from engine.app.records.ops import count_ops, list_ops, resolve_op, show_op
from engine.app.state import StatePaths, utc_now
from engine.app.workspace import Workspace
from engine.run import Op, OpEnd, OpState, describe_process
from engine.stores import SqlWriteLedger, open_run_store, open_write_ledger
from engine.testing.run_store_suite import record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEP = "push.people"


def op(number: int, use: str = "create", step: str = STEP, **facts: object) -> Op:
    values = {
        "id": f"r1-{number:06d}-aa",
        "run": "r1",
        "step": step,
        "connection": "stripe",
        "number": number,
        "use": use,
        "target": f"customers.{use}",
        "key": f'["{number}"]',
        "object": None if use in ("create", "call") else f"cus_{number}",
        "parameters": (("name", "Ada"),),
        "state": OpState.PLANNED,
        "planned": NOON,
        **facts,
    }
    return Op(**values)  # type: ignore[arg-type]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    start_project(folder)
    return folder


@pytest.fixture
def paths(root: Path) -> StatePaths:
    return Workspace.open(root).paths


@pytest.fixture
def ledger(paths: StatePaths) -> Iterator[SqlWriteLedger]:
    opened = open_write_ledger(paths.runs)
    yield opened
    opened.close()


def leave_ops(ledger: SqlWriteLedger, state: OpState, *ops: Op) -> None:
    """Record the ops in the ledger and bring them to `state`."""
    ledger.plan_ops(ops)
    ledger.mark_sent([each.id for each in ops], NOON)
    if state is not OpState.SENT:
        ledger.end_ops([OpEnd(each.id, state, NOON, request="req_1", note="no answer") for each in ops])


def test_resolve_as_done_links_the_row_to_its_object(root: Path, ledger: SqlWriteLedger) -> None:
    leave_ops(ledger, OpState.QUARANTINED, op(1))
    found = resolve_op(Workspace.open(root), "r1-0", done=True, object_id="cus_9")
    assert found.state is OpState.DONE
    assert found.result == "cus_9"
    assert found.request == "req_1"
    assert found.note is not None
    assert "said at 2" in found.note
    assert "(before: no answer)" in found.note
    assert ledger.identities("stripe", STEP) == {'["1"]': "cus_9"}
    assert ledger.blocked("stripe", STEP) == frozenset()


@pytest.mark.parametrize("state", [OpState.SENT, OpState.UNKNOWN, OpState.QUARANTINED])
def test_resolve_as_not_done_unblocks_the_row(root: Path, ledger: SqlWriteLedger, state: OpState) -> None:
    leave_ops(ledger, state, op(1), op(2, "call"))
    assert len(ledger.blocked("stripe", STEP)) == 2
    assert resolve_op(Workspace.open(root), op(1).id, done=False).state is OpState.DROPPED
    resolve_op(Workspace.open(root), op(2).id, done=False)
    assert ledger.blocked("stripe", STEP) == frozenset()
    assert ledger.called("stripe", STEP) == {}
    assert ledger.identities("stripe", STEP) == {}
    assert ledger.open_ops("stripe") == []


def test_resolve_of_a_call_as_done_prevents_a_second_call(root: Path, ledger: SqlWriteLedger) -> None:
    leave_ops(ledger, OpState.QUARANTINED, op(1, "call"))
    resolve_op(Workspace.open(root), op(1).id, done=True)
    assert ledger.called("stripe", STEP) == {'["1"]': ""}


def test_resolve_of_a_retire_as_done_unlinks_the_row(root: Path, ledger: SqlWriteLedger) -> None:
    ledger.remember("stripe", STEP, [('["1"]', "cus_1")], NOON)
    leave_ops(ledger, OpState.UNKNOWN, op(1, "retire"))
    resolve_op(Workspace.open(root), op(1).id, done=True)
    assert ledger.identities("stripe", STEP) == {}


def test_resolve_as_done_takes_the_object_id_from_the_parameters(root: Path, ledger: SqlWriteLedger) -> None:
    leave_ops(ledger, OpState.UNKNOWN, op(1, parameters=(("id", "prod_own"),)))
    assert resolve_op(Workspace.open(root), op(1).id, done=True).result == "prod_own"


@pytest.mark.parametrize(
    ("made", "done", "object_id", "message"),
    [
        (op(1), True, None, "say which one it made"),
        (op(1), True, "", "is no id of an object"),
        (op(1), True, "cus 1", "is no id of an object"),
        (op(1), False, "cus_1", "goes with `--done`"),
        (op(1), True, "cus_7", "stands for the row 7 already"),
        (op(1, "update"), True, "cus_2", "it is about `cus_1`"),
    ],
)
def test_resolve_with_an_impossible_object_id_is_refused(
    root: Path, ledger: SqlWriteLedger, made: Op, done: bool, object_id: str | None, message: str
) -> None:
    ledger.remember("stripe", STEP, [('["7"]', "cus_7")], NOON)
    leave_ops(ledger, OpState.UNKNOWN, made)
    with pytest.raises(RefusalError) as refused:
        resolve_op(Workspace.open(root), made.id, done=done, object_id=object_id)
    assert refused.value.code is Exit.USAGE
    assert message in refused.value.message
    kept = ledger.op(made.id)
    assert kept is not None
    assert kept.state is OpState.UNKNOWN


@pytest.mark.parametrize("state", [OpState.PLANNED, OpState.DONE, OpState.FAILED, OpState.DROPPED])
def test_resolve_of_a_settled_op_is_refused(root: Path, ledger: SqlWriteLedger, state: OpState) -> None:
    if state is OpState.PLANNED:
        ledger.plan_ops([op(1)])
    else:
        leave_ops(ledger, state, op(1))
    with pytest.raises(RefusalError, match="needs no decision"):
        resolve_op(Workspace.open(root), op(1).id, done=False)
    assert ledger.resolve(OpEnd(op(1).id, OpState.DONE, NOON, "cus_1")) is False
    assert ledger.identities("stripe", STEP) == {}


def test_resolve_during_the_run_of_the_op_is_refused_as_busy(
    root: Path, ledger: SqlWriteLedger, paths: StatePaths
) -> None:
    leave_ops(ledger, OpState.SENT, op(1))
    leave_ops(ledger, OpState.QUARANTINED, op(2))
    runs, now = open_run_store(paths.runs), utc_now()
    runs.begin_run(record("r1", "push", started=now))
    token = runs.acquire("interface:push", describe_process(now), now, 60)
    assert token is not None
    assert show_op(Workspace.open(root), op(1).id).running is True
    with pytest.raises(RefusalError, match="is running") as refused:
        resolve_op(Workspace.open(root), op(1).id, done=False)
    assert refused.value.code is Exit.BUSY
    assert resolve_op(Workspace.open(root), op(2).id, done=False).state is OpState.DROPPED, "runs leave these alone"
    runs.release("interface:push", token)
    assert show_op(Workspace.open(root), op(1).id).running is False
    assert resolve_op(Workspace.open(root), op(1).id, done=False).state is OpState.DROPPED
    assert runs.acquire("interface:push", "another", now, 60) is not None, "it was given back"
    runs.close()


def test_list_ops_filters_by_state_run_and_step(root: Path, ledger: SqlWriteLedger) -> None:
    assert list_ops(Workspace.open(root), 10) == []
    leave_ops(ledger, OpState.DONE, op(1), op(2, step="push.people_too"), op(3, step="pushed.x", run="r2", id="r2-3"))
    leave_ops(ledger, OpState.FAILED, op(4, planned=NOON + timedelta(seconds=1)))

    def numbers(*arguments: object) -> list[int]:
        return [each.number for each in list_ops(Workspace.open(root), 10, *arguments)]  # type: ignore[arg-type]

    assert numbers() == [4, 3, 2, 1]
    assert numbers(("failed", "planned")) == [4]
    assert numbers((), "r2") == [3]
    assert numbers((), None, STEP) == [4, 1]
    assert numbers((), None, "push") == [4, 2, 1]
    assert numbers(("failed",), None, "pushed") == []
    assert [each.number for each in list_ops(Workspace.open(root), 1)] == [4]
    assert count_ops(Workspace.open(root), "r1") == {OpState.DONE: 2, OpState.FAILED: 1}
    assert count_ops(Workspace.open(root), "r") == {}


def test_unknown_or_ambiguous_op_names_are_refused_with_a_hint(root: Path, ledger: SqlWriteLedger) -> None:
    leave_ops(ledger, OpState.DONE, *(op(number) for number in range(1, 6)))
    with pytest.raises(RefusalError) as none:
        show_op(Workspace.open(root), "r9")
    assert (none.value.message, none.value.hint) == ("no write `r9`", "`weir ops list` lists them")
    with pytest.raises(RefusalError, match="more than one write begins with `r1-`") as many:
        show_op(Workspace.open(root), "r1-")
    assert many.value.hint == "say more of it: `r1-000001-aa`, `r1-000002-aa`, `r1-000003-aa` …"
    for pattern in ("%", "_", ""):
        with pytest.raises(RefusalError, match="no write"):
            show_op(Workspace.open(root), pattern)
    with pytest.raises(RefusalError) as step:
        list_ops(Workspace.open(root), 10, (), None, "push.peple")
    assert step.value.hint is not None
    assert f"`{STEP}`" in step.value.hint
    with pytest.raises(RefusalError, match="no run `r7`"):
        list_ops(Workspace.open(root), 10, (), "r7")
