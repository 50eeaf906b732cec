"""What every connector's mirror must do. Subclass it in a test module: `class TestMine(MirrorSuite)`.

A subclass says how an object comes to be, changes and goes at a provider that the test controls. The suite runs plans
against it as `weir run` does: plan, mirror, extraction, staging.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.connector import Connector, Mirror, Need, Pace, Read
from engine.duck import DuckBoxRunner, DuckTableStore, fetch_rows
from engine.duck.files import attach
from engine.duck.instances import Terms, own_instance
from engine.executors import InlineExecutor
from engine.plan import ConnectionSettings, plan_of_needs
from engine.run import BoxLimits, World, describe_process, execute_plan, process_is_alive
from engine.run.outcome import Run
from engine.testing.dying_staging import Crash, DyingStaging, Killed
from engine.testing.fakes import MemoryRunStore, RunMemory

_NAME = "mirrored"


class MirrorSuite:
    """The rules of a mirror, each as a test."""

    table: str
    """The table of the objects that `add` makes."""
    column: str
    """A text column of it, which `add` and `change` set."""
    many: int
    """How many objects there are: at least six pages, and more than may disappear without a question (E613)."""

    def make(self) -> Connector:
        """The connector under test."""
        raise NotImplementedError

    def config(self) -> Mapping[str, Any]:
        """The config of the extraction that leads to the provider: `secret`, `base_url` …"""
        raise NotImplementedError

    def add(self, text: str) -> str:
        """Make an object whose `column` has this text, later than those before. Returns its id."""
        raise NotImplementedError

    def change(self, identifier: str, text: str) -> None:
        """Give an object another text."""
        raise NotImplementedError

    def remove(self, identifier: str) -> None:
        """Delete an object."""
        raise NotImplementedError

    def permit(self, *, allowed: bool) -> None:
        """Say whether the key may read `table` from now on."""
        raise NotImplementedError

    def wait(self) -> None:
        """Let a minute pass at the provider, so that what happens now is later than what happened before."""
        raise NotImplementedError

    def requests(self) -> int:
        """How many requests of connectors have reached the provider so far."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.memory = RunMemory()
        self.ticks = itertools.count()

    def sync(
        self,
        *,
        crash: Crash | None = None,
        stop: Callable[[], bool] = lambda: False,
        whole: bool = False,
        **config: Any,
    ) -> Run:
        """Run a plan that needs the table. With `whole`, all of it is read again. A run that dies raises `Killed`."""
        connector = self.make()
        version = connector.catalogue(None).api_version
        given: dict[str, Any] = {
            "api_version": version,
            "timeout_ms": 10_000,
            "base": str(self.folder),
            "identify": True,
        }
        given |= {**self.config(), **config}
        secret = (str(given["secret"][0]), str(given["secret"][1]))
        settings = ConnectionSettings(
            _NAME, connector.name, "local", 10_000, secret, version, None, str(given["base_url"]), None, None
        )
        table = connector.catalogue(None).tables[self.table]
        plan = plan_of_needs(settings, connector, [Need(self.table, table.relation.names)])

        def refresh(_: ConnectionSettings, reads: Sequence[Read], mirror: Mirror, pace: Pace) -> Sequence[Read]:
            again = {read.table: 0.0 for read in reads} if whole else {}
            return connector.refresh(reads, mirror, Pace(pace.now, {**pace.reread, **again}, pace.events, pace.lost))

        executor = InlineExecutor(2)
        staging = DyingStaging(self.path, connector.catalogue(None), crash)
        store = self.folder / "store.duckdb"
        world = World(
            now=lambda: datetime.now(UTC),
            executor=executor,
            staging=lambda _: staging,
            extraction=lambda _: (connector.stage, given),
            accounts=lambda _settings, _sent: (None,),
            boxes=DuckBoxRunner({}, {}, store, {}),
            fetch=fetch_rows,
            tables=DuckTableStore(store),
            runs=MemoryRunStore(self.memory),
            reads=MemoryRunStore(self.memory),
            directory=self.folder / "state",
            limits=BoxLimits(256 << 20, 20, 1, 256 << 20),
            owner=describe_process(datetime.now(UTC)),
            is_alive=process_is_alive,
            new_id=lambda _now: f"run-{next(self.ticks)}",
            user="ada",
            commit=None,
            cancelled=stop,
            refresh=refresh,
        )
        try:
            return execute_plan(plan, world, lambda _event: None)
        finally:
            executor.close()

    @property
    def path(self) -> Path:
        """The staging file."""
        return self.folder / "staging.duckdb"

    def rows(self, where: str = "_deleted_at IS NULL") -> dict[str, Any]:
        """The text of each row by its id: of live rows, or of others."""
        key = self.make().catalogue(None).tables[self.table].key[0]
        found = self._query(f'SELECT "{key}", "{self.column}" FROM "{self.table}" WHERE {where}')
        assert len(dict(found)) == len(found), "each id has one row"
        return dict(found)

    def _query(self, sql: str) -> list[Any]:
        with own_instance(Terms(self.folder / "spill"), "staging") as connection:
            attach(connection, self.path, "staging", read_only=True)
            connection.execute("USE staging")
            return connection.execute(sql).fetchall()

    def cost(self, **options: Any) -> int:
        """How many requests a run takes that succeeds."""
        self.wait()
        before = self.requests()
        run = self.sync(**options)
        assert [each.status for each in run.outcomes] == ["succeeded"], run.outcomes
        return self.requests() - before

    def fill(self, count: int | None = None) -> dict[str, str]:
        """Make so many objects, or `many`; their texts by id."""
        return {self.add(f"text {number}"): f"text {number}" for number in range(count or self.many)}

    def test_the_first_run_brings_every_row(self) -> None:
        texts = self.fill()
        self.cost()
        assert self.rows() == texts

    def test_an_empty_table_is_no_failure(self) -> None:
        self.cost()
        assert self.rows() == {}
        texts = self.fill(3)
        self.cost()
        assert self.rows() == texts

    def test_a_second_run_asks_only_for_what_changed(self) -> None:
        texts = self.fill()
        first = self.cost(max_slice_requests=1_000)
        again = self.cost()
        assert again < first
        assert self.rows() == texts
        identifier = next(iter(texts))
        self.change(identifier, "changed")
        texts |= {identifier: "changed", self.add("new"): "new"}
        assert self.cost() < first
        assert self.rows() == texts

    def test_a_row_that_did_not_change_counts_as_unchanged(self) -> None:
        texts = self.fill(5)
        self.cost()
        ((before,),) = self._query(f'SELECT max(_changed_at) FROM "{self.table}"')
        changed = next(iter(texts))
        self.change(changed, "changed")
        self.cost()
        assert self.rows(f"_changed_at > TIMESTAMP '{before}'") == {changed: "changed"}

    def test_what_is_deleted_leaves_a_tombstone(self) -> None:
        texts = self.fill()
        self.cost()
        gone = list(texts)[:3]
        for identifier in gone:
            self.remove(identifier)
        self.cost()
        assert self.rows().keys() == texts.keys() - set(gone)
        assert self.rows("_deleted_at IS NOT NULL").keys() == set(gone)

    def test_a_whole_read_finds_what_is_there_and_what_is_gone(self) -> None:
        texts = self.fill()
        self.cost()
        identifier, changed = list(texts)[:2]
        self.remove(identifier)
        self.change(changed, "changed")
        self.cost(whole=True)
        del texts[identifier]
        assert self.rows() == texts | {changed: "changed"}

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize("load", [0, 1])
    def test_a_run_that_dies_at_a_commit_loses_nothing(self, load: int, after: bool) -> None:
        texts = self.fill()
        slices: dict[str, Any] = {"max_slice_requests": 2, "max_slice_bytes": 1}
        with pytest.raises(Killed):
            self.sync(crash=Crash(load, after), **slices)
        identifier, changed, *_ = texts
        self.remove(identifier)
        self.change(changed, "changed")
        self.cost(**slices)
        del texts[identifier]
        assert self.rows() == texts | {changed: "changed"}

    def test_an_interrupted_run_continues(self) -> None:
        texts = self.fill()
        first = self.cost()
        self.path.unlink()
        self.wait()
        with pytest.raises(Killed):
            self.sync(crash=Crash(3, after=True), max_slice_requests=2, max_slice_bytes=1)
        kept = self.rows()
        assert 0 < len(kept) < len(texts)
        assert self.cost() < first, "what was committed is not read again"
        assert self.rows() == texts

    def test_a_run_that_is_stopped_leaves_a_mirror_that_can_continue(self) -> None:
        texts = self.fill()
        asked = itertools.count()
        run = self.sync(stop=lambda: next(asked) > 6, max_slice_requests=2, max_slice_bytes=1)
        assert [each.status for each in run.outcomes] != ["succeeded"]
        self.cost()
        assert self.rows() == texts

    def test_a_lost_permission_deletes_nothing(self) -> None:
        texts = self.fill()
        self.cost()
        self.permit(allowed=False)
        for whole in (False, True):
            run = self.sync(whole=whole)
            (outcome,) = run.outcomes
            assert outcome.status == "failed"
            assert outcome.failure is not None
            assert outcome.failure.hint
            assert self.rows() == texts

    def test_what_changes_while_the_key_may_not_read_it_is_seen_later(self) -> None:
        texts = self.fill()
        self.cost()
        self.permit(allowed=False)
        self.wait()
        changed, gone, *_ = texts
        self.change(changed, "changed meanwhile")
        self.remove(gone)
        self.wait()
        assert [each.status for each in self.sync().outcomes] == ["failed"]
        self.permit(allowed=True)
        self.cost()
        del texts[gone]
        assert self.rows() == texts | {changed: "changed meanwhile"}
