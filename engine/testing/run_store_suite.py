"""What every `RunStore` must do. Subclass it in a test module: `class TestSqlite(RunStoreSuite)` with `make`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from engine.run import ConnectionReads, ReadLedger, RunRecord, RunStore, StepRecord

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def record(run_id: str, *interfaces: str, started: datetime = NOON) -> RunRecord:
    """A run that has just started."""
    return RunRecord(
        id=run_id,
        interfaces=interfaces or ("customers",),
        status="running",
        started=started,
        ended=None,
        user="ada",
        commit=None,
        plan_hash="sha256:00",
        counts={},
    )


def step(name: str, status: str = "succeeded", message: str | None = None) -> StepRecord:
    """A step that took a second."""
    return StepRecord(name, "import", status, NOON, NOON + timedelta(seconds=1), {"inserted": 2**40}, message)


class StoreAndLedger(RunStore, ReadLedger, Protocol):
    """Run state that also counts reads."""


class RunStoreSuite:
    """The rules of run state, each as a test. `make` opens the store below a directory; twice gives the same state."""

    def make(self, directory: Path) -> StoreAndLedger:
        """A store whose state lives in `directory`."""
        raise NotImplementedError

    def test_a_lease_has_one_holder(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        assert store.acquire("interface:a", "first", NOON, 30) is not None
        assert store.acquire("interface:a", "second", NOON + timedelta(seconds=29), 30) is None
        assert store.acquire("interface:a", "first", NOON + timedelta(seconds=29), 30) is None
        assert store.acquire("interface:b", "second", NOON, 30) is not None
        assert "first" in (store.holder("interface:a") or "")
        assert store.holder("interface:c") is None
        store.close()

    def test_a_released_lease_is_free(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        token = store.acquire("interface:a", "first", NOON, 30)
        assert token is not None
        store.release("interface:a", token)
        assert store.holder("interface:a") is None
        later = store.acquire("interface:a", "second", NOON, 30)
        assert later is not None
        assert later > token
        store.close()

    def test_an_expired_lease_passes_on_with_a_higher_token(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        token = store.acquire("interface:a", "first", NOON, 30)
        late = NOON + timedelta(seconds=31)
        other = store.acquire("interface:a", "second", late, 30)
        assert token is not None
        assert other is not None
        assert other > token
        assert not store.renew("interface:a", token, late, 30)
        store.release("interface:a", token)
        assert "second" in (store.holder("interface:a") or "")
        assert store.renew("interface:a", other, late, 30)
        store.close()

    def test_renewal_prolongs_a_lease(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        token = store.acquire("interface:a", "first", NOON, 30)
        assert token is not None
        assert store.renew("interface:a", token, NOON + timedelta(seconds=20), 30)
        assert store.acquire("interface:a", "second", NOON + timedelta(seconds=45), 30) is None
        assert store.acquire("interface:a", "second", NOON + timedelta(seconds=51), 30) is not None
        store.close()

    def test_the_lease_of_a_dead_process_can_be_freed(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        token = store.acquire("interface:a", "first", NOON, 30)
        assert token is not None
        assert not store.evict("interface:a", "second")
        assert not store.evict("interface:b", "first")
        assert store.acquire("interface:a", "second", NOON, 30) is None
        assert store.evict("interface:a", "first")
        assert not store.evict("interface:a", "first")
        later = store.acquire("interface:a", "second", NOON, 30)
        assert later is not None
        assert later > token
        assert not store.renew("interface:a", token, NOON, 30)
        store.close()

    def test_one_of_many_gets_the_lease(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        with ThreadPoolExecutor(8) as pool:
            tokens = list(pool.map(lambda n: store.acquire("interface:a", f"owner {n}", NOON, 30), range(16)))
        assert len([token for token in tokens if token is not None]) == 1
        store.close()

    def test_runs_are_kept_with_their_steps(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        begun = replace(record("0001-aa", "customers", "invoices"), commit="abc123")
        store.begin_run(begun)
        assert store.run("0001-aa") == (begun, [])
        store.end_step("0001-aa", step("customers.load"))
        store.end_step("0001-aa", step("customers.tidy", "failed", "doubled keys"))
        ended = NOON + timedelta(minutes=1)
        store.end_run("0001-aa", "failed", ended, {"rows": 3})
        store.close()
        store = self.make(tmp_path)
        found = store.run("0001-aa")
        assert found is not None
        run, steps = found
        assert run == replace(begun, status="failed", ended=ended, counts={"rows": 3})
        assert list(steps) == [step("customers.load"), step("customers.tidy", "failed", "doubled keys")]
        store.close()

    def test_what_a_run_asked_for_is_kept(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        store.begin_run(record("r1"))
        asked = (
            ConnectionReads("shop", 12, 2, 1, 2**40, 2**41),
            ConnectionReads("other", 0, 0, 0, 0, None),
        )
        store.end_run("r1", "failed", NOON, {}, asked)
        store.close()
        store = self.make(tmp_path)
        assert [run.reads for run in store.runs(1)] == [asked]
        store.close()

    def test_reads_are_counted_by_connection_and_day(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        day = NOON.date()
        for connection, ago, requests in (("a", 0, 3), ("a", 0, 4), ("a", 29, 100), ("a", 30, 1000), ("b", 1, 7)):
            store.count_reads(connection, day - timedelta(days=ago), requests)
        store.close()
        store = self.make(tmp_path)
        assert dict(store.reads_since(day - timedelta(days=29))) == {"a": 107, "b": 7}
        assert dict(store.reads_since(day)) == {"a": 7}
        assert dict(store.reads_since(day + timedelta(days=1))) == {}
        store.close()

    def test_reads_may_be_counted_in_several_threads(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: store.count_reads("a", NOON.date(), 2), range(20)))
        assert dict(store.reads_since(NOON.date())) == {"a": 40}
        store.close()

    def test_runs_come_newest_first(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        for number in range(5):
            store.begin_run(record(f"000{number}", started=NOON + timedelta(seconds=number)))
        assert [run.id for run in store.runs(3)] == ["0004", "0003", "0002"]
        store.close()

    def test_an_unambiguous_beginning_names_a_run(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        for run_id in ("abc1", "abd2", "abc", "x%y"):
            store.begin_run(record(run_id))
        assert store.run("ab") is None
        assert store.run("nothing") is None
        assert store.run("%") is None
        assert (store.run("abd") or (None, ()))[0] == record("abd2")
        assert (store.run("abc") or (None, ()))[0] == record("abc")
        store.close()

    def test_steps_may_end_in_several_threads(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        store.begin_run(record("r1"))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda n: store.end_step("r1", step(f"s{n}")), range(12)))
        found = store.run("r1")
        assert found is not None
        assert sorted(item.step for item in found[1]) == sorted(f"s{n}" for n in range(12))
        store.close()

    def test_tracked_parameters_outlive_the_store(self, tmp_path: Path) -> None:
        store = self.make(tmp_path)
        store.track("customers", {"since": "2024-01-01", "name": "O'Hara"})
        store.track("customers", {"since": "2025-01-01"})
        store.track("invoices", {"since": "2026-01-01"})
        store.close()
        store = self.make(tmp_path)
        assert dict(store.tracked()) == {
            ("customers", "since"): "2025-01-01",
            ("customers", "name"): "O'Hara",
            ("invoices", "since"): "2026-01-01",
        }
        store.close()
