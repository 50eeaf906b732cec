"""What every `WriteLedger` must do. Subclass it in a test module: `class TestSqlite(WriteLedgerSuite)` with `make`."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import pytest

from engine.connector import Failure, FailureKind
from engine.run import OPEN_STATES, Op, OpEnd, OpState, WriteLedger

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
STEP = "people.push"


def op(name: str, number: int = 1, **changes: Any) -> Op:
    """A create of a customer that was planned at noon."""
    made = Op(
        id=name,
        run="run-1",
        step=STEP,
        connection="shop",
        number=number,
        use="create",
        target="customers.create",
        key=f'["{name}"]',
        object=None,
        parameters=(("name", "Ада “%_”"), ("metadata[a.b]", ""), ("name", "twice")),
        state=OpState.PLANNED,
        planned=NOON,
    )
    return replace(made, **changes)


def end(name: str, state: OpState = OpState.DONE, **changes: Any) -> OpEnd:
    """An end five minutes past noon; one that is done made the object `cus_<name>`."""
    made = OpEnd(name, state, LATER, result=f"cus_{name}" if state is OpState.DONE else None)
    return replace(made, **changes)


class ClosableLedger(WriteLedger, Protocol):
    """A ledger that holds something open."""

    def close(self) -> None:
        """Release it."""
        ...


class WriteLedgerSuite:
    """The rules of the ledger, each as a test. `make` opens it below a directory; twice gives the same state."""

    def make(self, directory: Path) -> ClosableLedger:
        """A ledger whose state lives in `directory`."""
        raise NotImplementedError

    def filled(self, directory: Path, *ops: Op, ends: Sequence[OpEnd] = ()) -> ClosableLedger:
        """A ledger with these ops and ends, opened anew since."""
        ledger = self.make(directory)
        ledger.plan_ops(ops)
        ledger.end_ops(ends)
        ledger.close()
        return self.make(directory)

    def test_what_is_planned_is_kept_as_it_is(self, tmp_path: Path) -> None:
        full = op("a", lane="cus_1", object="cus_1", requires="b", sent=NOON, use="update", step="x.y")
        ledger = self.filled(tmp_path, full, op("b"))
        assert ledger.op("a") == full
        assert ledger.op("b") == op("b")
        assert ledger.op("c") is None
        ledger.close()

    def test_nothing_is_nothing(self, tmp_path: Path) -> None:
        ledger = self.make(tmp_path)
        ledger.plan_ops([])
        ledger.mark_sent([], NOON)
        ledger.end_ops([])
        ledger.staged([])
        ledger.remember("shop", STEP, [], NOON)
        assert list(ledger.ops(10)) == []
        assert dict(ledger.identities("shop", STEP)) == {}
        assert not ledger.blocked("shop", STEP)
        assert not ledger.called("shop", STEP)
        ledger.close()

    def test_the_first_moment_of_sending_stays(self, tmp_path: Path) -> None:
        ledger = self.filled(tmp_path, op("a"), op("b"))
        ledger.mark_sent(["a"], NOON)
        ledger.mark_sent(["a", "b"], LATER)
        assert ledger.op("a") == op("a", state=OpState.SENT, sent=NOON)
        assert ledger.op("b") == op("b", state=OpState.SENT, sent=LATER)
        ledger.close()

    def test_an_end_is_kept_with_all_that_it_says(self, tmp_path: Path) -> None:
        failure = Failure(FailureKind.REQUEST, "no such price", "look", status=400, code="resource_missing", param="p")
        failed = end("a", OpState.FAILED, failure=failure, request="req_1", note="as it was")
        ledger = self.filled(tmp_path, op("a"), op("b"), ends=[failed])
        assert ledger.op("a") == op(
            "a", state=OpState.FAILED, ended=LATER, failure=failure, request="req_1", note="as it was"
        )
        assert ledger.op("b") == op("b")
        ledger.close()

    def test_a_later_end_counts(self, tmp_path: Path) -> None:
        failure = Failure(FailureKind.PROVIDER, "no answer")
        unknown = end("a", OpState.UNKNOWN, failure=failure, request="req_1", note="no answer")
        ledger = self.filled(tmp_path, op("a"), ends=[unknown])
        ledger.end_ops([end("a", ended=LATER + timedelta(hours=1))])
        assert ledger.op("a") == op("a", state=OpState.DONE, ended=LATER + timedelta(hours=1), result="cus_a")
        ledger.close()

    @pytest.mark.parametrize("state", list(OpState))
    def test_open_are_those_from_which_a_run_goes_on(self, tmp_path: Path, state: OpState) -> None:
        ledger = self.filled(tmp_path, op("a", state=state), op("b", connection="other"))
        assert [each.id for each in ledger.open_ops("shop")] == (["a"] if state in OPEN_STATES else [])
        ledger.close()

    def test_open_ones_come_in_the_order_in_which_they_were_planned(self, tmp_path: Path) -> None:
        ops = [op("d", 1, planned=LATER), op("c", 11), op("b", 2), op("a", 10)]
        ledger = self.filled(tmp_path, *ops)
        assert [each.id for each in ledger.open_ops("shop")] == ["b", "a", "c", "d"]
        ledger.close()

    @pytest.mark.parametrize("state", list(OpState))
    def test_a_key_is_blocked_while_nobody_knows(self, tmp_path: Path, state: OpState) -> None:
        others = (op("b", step="other.step", state=state), op("c", connection="other", state=state))
        ledger = self.filled(tmp_path, op("a", state=state), *others)
        doubtful = state in (OpState.SENT, OpState.UNKNOWN, OpState.QUARANTINED)
        assert ledger.blocked("shop", STEP) == ({'["a"]'} if doubtful else set())
        ledger.close()

    @pytest.mark.parametrize("state", list(OpState))
    def test_called_is_what_was_called_with_success(self, tmp_path: Path, state: OpState) -> None:
        call = op("a", use="call", state=state)
        others = (op("b", state=state), op("c", use="call", state=state, step="other.step"))
        ledger = self.filled(tmp_path, call, *others)
        assert set(ledger.called("shop", STEP)) == ({'["a"]'} if state is OpState.DONE else set())
        ledger.close()

    @pytest.mark.parametrize("use", ["create", "replace", "replaced", "update", "call"])
    def test_what_was_made_stands_for_its_key(self, tmp_path: Path, use: str) -> None:
        ledger = self.filled(tmp_path, op("a", use=use), ends=[end("a")])
        made = use in ("create", "replace")
        assert dict(ledger.identities("shop", STEP)) == ({'["a"]': "cus_a"} if made else {})
        assert dict(ledger.identities("shop", "other.step")) == dict(ledger.identities("other", STEP)) == {}
        ledger.close()

    @pytest.mark.parametrize("state", [state for state in OpState if state is not OpState.DONE])
    def test_what_is_not_done_stands_for_nothing(self, tmp_path: Path, state: OpState) -> None:
        ledger = self.filled(tmp_path, op("a"), ends=[end("a", state, result="cus_a")])
        assert dict(ledger.identities("shop", STEP)) == {}
        ledger.close()

    def test_a_replacement_takes_the_place_of_what_it_replaces(self, tmp_path: Path) -> None:
        first, second = op("a", key='["k"]'), op("b", 2, use="replace", key='["k"]')
        old = op("c", 3, use="replaced", key='["k"]', object="cus_a", requires="b")
        ledger = self.filled(tmp_path, first, second, old, ends=[end("a")])
        ledger.end_ops([end("b"), end("c", result="cus_a")])
        assert dict(ledger.identities("shop", STEP)) == {'["k"]': "cus_b"}
        ledger.close()

    def test_what_is_done_away_with_stands_for_nothing_any_more(self, tmp_path: Path) -> None:
        ledger = self.make(tmp_path)
        ledger.remember("shop", STEP, [("k1", "cus_1"), ("k2", "cus_2")], NOON)
        ledger.remember("shop", "other.step", [("k1", "cus_1")], NOON)
        ledger.remember("other", STEP, [("k1", "cus_1")], NOON)
        ledger.plan_ops([op("a", use="retire", key="k1", object="cus_1"), op("b", 2, use="retire", object="cus_2")])
        ledger.end_ops([end("a", result=None), end("b", OpState.FAILED)])
        assert dict(ledger.identities("shop", STEP)) == {"k2": "cus_2"}
        assert dict(ledger.identities("shop", "other.step")) == {}
        assert dict(ledger.identities("other", STEP)) == {"k1": "cus_1"}
        ledger.close()

    def test_what_is_remembered_last_counts(self, tmp_path: Path) -> None:
        ledger = self.make(tmp_path)
        ledger.remember("shop", STEP, [("k1", "cus_1"), ("k2", "cus_2")], NOON)
        ledger.remember("shop", STEP, iter([("k1", "cus_9")]), LATER)
        ledger.close()
        ledger = self.make(tmp_path)
        assert dict(ledger.identities("shop", STEP)) == {"k1": "cus_9", "k2": "cus_2"}
        ledger.close()

    def test_an_answer_is_kept_until_staging_has_it(self, tmp_path: Path) -> None:
        answer = '{"id":"cus_a","name":"Ада"}'.encode()
        ops = [op("b", 2), op("a", 1), op("c", 3), op("d", 4, connection="other")]
        ends = [end(each.id, answer=answer) for each in ops if each.id != "c"]
        ledger = self.filled(tmp_path, *ops, ends=[*ends, end("c")])
        assert [(each.id, each.answer) for each in ledger.unstaged("shop")] == [("a", answer), ("b", answer)]
        ledger.staged(["a"])
        assert [each.id for each in ledger.unstaged("shop")] == ["b"]
        assert ledger.op("a") == op("a", state=OpState.DONE, ended=LATER, result="cus_a")
        ledger.close()

    def test_ops_come_newest_first(self, tmp_path: Path) -> None:
        ledger = self.filled(tmp_path, op("c", 1, planned=LATER, run="run-2"), op("a", 1), op("b", 2))
        assert [each.id for each in ledger.ops(10)] == ["c", "b", "a"]
        assert [each.id for each in ledger.ops(2)] == ["c", "b"]
        assert [each.id for each in ledger.ops(10, run="run-1")] == ["b", "a"]
        assert [each.id for each in ledger.ops(10, run="run-")] == ["c", "b", "a"]
        assert list(ledger.ops(10, run="run_")) == list(ledger.ops(10, run="%")) == []
        ledger.close()

    def test_ops_may_be_asked_for_by_state(self, tmp_path: Path) -> None:
        ledger = self.filled(tmp_path, op("a"), op("b", 2), op("c", 3), ends=[end("a"), end("b", OpState.QUARANTINED)])
        assert [each.id for each in ledger.ops(10, [OpState.QUARANTINED])] == ["b"]
        assert [each.id for each in ledger.ops(10, [OpState.DONE, OpState.PLANNED])] == ["c", "a"]
        ledger.close()

    def test_an_unambiguous_beginning_names_an_op(self, tmp_path: Path) -> None:
        ledger = self.filled(tmp_path, op("abc1"), op("abd2"), op("abc"), op("x%y"))
        assert ledger.op("ab") is None
        assert ledger.op("%") is None
        assert ledger.op("abd") == op("abd2")
        assert ledger.op("abc") == op("abc")
        ledger.close()

    def test_many_at_once(self, tmp_path: Path) -> None:
        ops = [op(f"{number:04}", number) for number in range(1_201)]
        ledger = self.filled(tmp_path, *ops)
        names = [each.id for each in ops]
        ledger.mark_sent(names, NOON)
        assert len(ledger.blocked("shop", STEP)) == 1_201
        ledger.end_ops([end(name, answer=b"{}") for name in names])
        assert len(ledger.identities("shop", STEP)) == len(ledger.unstaged("shop")) == 1_201
        ledger.staged(names)
        assert list(ledger.unstaged("shop")) == list(ledger.open_ops("shop")) == []
        ledger.close()

    def test_ops_may_end_in_several_threads(self, tmp_path: Path) -> None:
        ledger = self.filled(tmp_path, *(op(f"{number}", number) for number in range(24)))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: ledger.end_ops([end(f"{number}")]), range(24)))
        assert len(ledger.identities("shop", STEP)) == 24
        assert {each.state for each in ledger.ops(100)} == {OpState.DONE}
        ledger.close()
