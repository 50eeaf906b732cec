"""What every `Writer` must do. Subclass it in a test module: `class TestMine(WriterSuite)`.

A subclass says how an object is made at a provider that can be written to, and what the provider then has. All else is
the same for every provider.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from engine.connector import WriteHooks, Writer, WriteRequest, WriteResult, WriteState


@dataclass
class Notes:
    """Hooks that note what they are told: `told` are ("sending" | "ended", id) in order, `results` the ends by id."""

    stop: Callable[[Notes], bool] = lambda _: False
    told: list[tuple[str, str]] = field(default_factory=list)
    results: dict[str, WriteResult] = field(default_factory=dict)
    waited: list[str | None] = field(default_factory=list)
    overlaps: int = 0
    _busy: threading.Lock = field(default_factory=threading.Lock)

    @property
    def hooks(self) -> WriteHooks:
        """What a writer is handed."""
        return WriteHooks(self.sending, self.ended, lambda: self.stop(self), self.waited.append)

    def sending(self, ids: Sequence[str]) -> None:
        """See `WriteHooks`."""
        self._note([("sending", each) for each in ids])

    def ended(self, results: Sequence[WriteResult]) -> None:
        """See `WriteHooks`."""
        self._note([("ended", each.id) for each in results])
        self.results.update({each.id: each for each in results})

    def ids(self, what: str) -> list[str]:
        """Of which ids this was told, in order."""
        return [each for told, each in self.told if told == what]

    def _note(self, told: Sequence[tuple[str, str]]) -> None:
        free = self._busy.acquire(blocking=False)
        self.overlaps += not free
        self.told += told
        if free:
            self._busy.release()


class WriterSuite:
    """The rules of `engine.connector.Writer`, each as a test."""

    table: str
    """The table of the objects that `create` makes."""

    def make(self) -> Writer:
        """The writer under test."""
        raise NotImplementedError

    def create(self, name: str, lane: str | None = None, requires: str | None = None) -> WriteRequest:
        """A request with the id `name` that makes an object which is called so."""
        raise NotImplementedError

    def refused(self, name: str, lane: str | None = None) -> WriteRequest:
        """A request that the provider refuses."""
        raise NotImplementedError

    def made(self) -> list[str]:
        """The names of the objects that are there, in the order in which they were made."""
        raise NotImplementedError

    def write(self, *requests: WriteRequest, notes: Notes | None = None) -> Notes:
        """Write, and hold the writer to what is true of every call."""
        notes = notes or Notes()
        counts = self.make().write(requests, notes.hooks)
        assert sorted(notes.ids("ended")) == sorted(each.id for each in requests), "each is told once"
        assert notes.overlaps == 0
        for name, result in notes.results.items():
            order = [what for what, each in notes.told if each == name]
            assert order == (["ended"] if result.state is WriteState.UNSENT else ["sending", "ended"])
            assert (result.failure is None) == (result.state is WriteState.DONE) or result.state is WriteState.UNSENT
        assert counts.requests >= len(notes.ids("sending"))
        return notes

    def test_nothing_to_write(self) -> None:
        assert self.write().told == []
        assert self.made() == []

    def test_each_request_is_done_and_told_once(self) -> None:
        names = [f"n{number}" for number in range(70)]
        notes = self.write(*map(self.create, names))
        assert sorted(self.made()) == sorted(names)
        assert {each.state for each in notes.results.values()} == {WriteState.DONE}
        assert len({each.object for each in notes.results.values()}) == 70
        assert all(each.body and each.answered and each.request for each in notes.results.values())
        assert not any(each.replayed for each in notes.results.values())

    def test_a_lane_keeps_its_order(self) -> None:
        requests = [self.create(f"{lane}{number:02}", lane=lane) for number in range(12) for lane in "abc"]
        notes = self.write(*requests)
        for lane in "abc":
            own = [each.id for each in requests if each.lane == lane]
            assert [name for name in self.made() if name.startswith(lane)] == own
            story = [each for each in notes.told if each[1].startswith(lane)]
            assert story == [(what, name) for name in own for what in ("sending", "ended")]

    def test_a_refusal_is_told_and_stops_nothing_else(self) -> None:
        notes = self.write(self.create("a", "l"), self.refused("b", "l"), self.create("c", "l"), self.refused("d"))
        assert sorted(self.made()) == ["a", "c"]
        failed = notes.results["b"]
        assert failed.state is notes.results["d"].state is WriteState.FAILED
        assert failed.failure is not None
        assert failed.failure.message
        assert failed.failure.request_id == failed.request != None  # noqa: E711 - both of it
        assert failed.body is None

    def test_what_requires_another_comes_after_it(self) -> None:
        notes = self.write(self.create("a", "l"), self.create("b", "l", requires="a"), self.create("c"))
        assert {each.state for each in notes.results.values()} == {WriteState.DONE}
        assert self.made().index("a") < self.made().index("b")
        assert notes.told.index(("ended", "a")) < notes.told.index(("sending", "b"))

    def test_what_requires_what_failed_is_never_sent(self) -> None:
        requests = [self.refused("a", "l"), self.create("b", "l", requires="a"), self.create("c", "l")]
        notes = self.write(*requests)
        assert self.made() == ["c"]
        assert notes.results["b"].state is WriteState.UNSENT
        assert notes.results["b"].failure is not None

    def test_a_chain_of_what_requires_what_failed_is_never_sent(self) -> None:
        links = [self.create(f"n{number}", "l", requires=f"n{number - 1}" if number > 1 else "a") for number in (1, 2)]
        notes = self.write(self.refused("a", "l"), *links)
        assert self.made() == []
        assert {notes.results["n1"].state, notes.results["n2"].state} == {WriteState.UNSENT}

    def test_nothing_is_sent_after_a_stop(self) -> None:
        notes = self.write(*(self.create(f"n{n}", lane=f"l{n % 3}") for n in range(9)), notes=Notes(lambda _: True))
        assert self.made() == []
        assert {each.state for each in notes.results.values()} == {WriteState.UNSENT}

    def test_what_is_under_way_at_a_stop_is_waited_for(self) -> None:
        requests = [self.create(f"n{number:02}", lane=f"l{number % 4}") for number in range(40)]
        notes = self.write(*requests, notes=Notes(lambda notes: len(notes.ids("ended")) >= 5))
        done = {name for name, each in notes.results.items() if each.state is WriteState.DONE}
        assert done == set(self.made()) == set(notes.ids("sending"))
        assert 5 <= len(done) <= 8
        assert {each.state for each in notes.results.values()} == {WriteState.DONE, WriteState.UNSENT}

    def test_the_same_id_is_done_once(self) -> None:
        first = self.write(self.create("a")).results["a"]
        second = self.write(self.create("a")).results["a"]
        assert self.made() == ["a"]
        assert (second.state, second.object, second.replayed) == (WriteState.DONE, first.object, True)
        assert second.body == first.body

    def test_an_id_stands_for_what_it_was_first_sent_with(self) -> None:
        self.write(self.create("a"))
        other = replace(self.create("b"), id="a")
        assert self.write(other).results["a"].state is WriteState.FAILED
        assert self.made() == ["a"]

    def test_nothing_goes_out_that_is_not_noted(self) -> None:
        class Full(Notes):
            def sending(self, ids: Sequence[str]) -> None:
                raise OSError(f"no room for {len(ids)}")

        with pytest.raises(OSError, match="no room"):
            self.make().write([self.create(f"n{number}") for number in range(40)], Full().hooks)
        assert self.made() == []

    def test_an_end_that_cannot_be_noted_ends_the_writing(self) -> None:
        class Full(Notes):
            def ended(self, results: Sequence[WriteResult]) -> None:
                raise OSError(f"no room for {len(results)}")

        notes = Full()
        with pytest.raises(OSError, match="no room"):
            self.make().write(
                [self.create(f"n{number:03}", lane=f"l{number % 4}") for number in range(200)], notes.hooks
            )
        assert set(self.made()) <= set(notes.ids("sending"))
        assert len(self.made()) < 200

    def test_objects_can_be_read_one_by_one(self) -> None:
        made = self.write(self.create("a"), self.create("b")).results
        known = [made["a"].object or "", made["b"].object or ""]
        found = self.make().read(self.table, [known[0], "nowhere_1", known[1]])
        assert [each.state for each in found] == [WriteState.DONE, WriteState.FAILED, WriteState.DONE]
        assert [each.object for each in found if each.body] == known
        assert self.make().read(self.table, []) == []

    def test_answers_are_spooled_by_table(self, tmp_path: Path) -> None:
        made = self.write(self.create("a"), self.create("b")).results
        answers = [(self.create(name).target, made[name].body or b"") for name in ("a", "b", "a")]
        found = self.make().spool(answers, tmp_path / "answers")
        assert [(file.table, file.rows) for file in found.files] == [(self.table, 2)]
        assert all(file.path.is_file() for file in found.files)
        assert dict(found.gone) == {}
        assert self.make().spool([], tmp_path / "none").files == ()
