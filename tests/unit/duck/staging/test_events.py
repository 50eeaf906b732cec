"""What a slice reports besides rows: deleted objects, children of renewed parents, and the event interval."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from engine.connector import Changes, EventClaim, EventInterval, Gone, Identity, Op, Predicate, Renewed
from engine.connectors.stripe.sync.sync_rules import LATEST
from engine.duck.staging.events import KEPT
from engine.duck.staging.staging import DuckStaging
from engine.relation import INTEGER, TEXT, Column
from engine.run import StoreError
from tests.support.duck.staged import ACCOUNT, at_minute, catalogue, covered, rows, spool, stored, table

CATALOGUE = catalogue(
    replace(table(), open=((Predicate("status", Op.EQ, ("pending",)),),)), table("refunds", Column("charge", TEXT))
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "spool"
    made.mkdir()
    return made


@pytest.fixture
def staging(tmp_path: Path) -> DuckStaging:
    return DuckStaging(tmp_path / "stripe.duckdb", CATALOGUE)


def claim(until: int, **changes: object) -> Changes:
    return Changes(events=(replace(EventClaim(ACCOUNT, at_minute(until)), **changes),))  # type: ignore[arg-type]


def deleted(staging: DuckStaging, name: str = "charges") -> list[object]:
    return [each for (each,) in rows(staging.path, f"SELECT id FROM {name} WHERE _deleted_at IS NOT NULL ORDER BY id")]


def test_event_interval_starts_continues_and_restarts(staging: DuckStaging) -> None:
    assert staging.mirror(ACCOUNT).events is None
    staging.load([], [], at_minute(1), claim(1, since=at_minute(1)))
    assert staging.mirror(ACCOUNT).events == EventInterval(at_minute(1), at_minute(1), at_minute(1), at_minute(1))
    staging.load([], [], at_minute(5), claim(4))
    assert staging.mirror(ACCOUNT).events == EventInterval(at_minute(1), at_minute(4), at_minute(5), at_minute(1))
    staging.load([], [], at_minute(6), claim(5, looks_back=True))
    assert staging.mirror(ACCOUNT).events == EventInterval(at_minute(1), at_minute(5), at_minute(6), at_minute(5))
    staging.load([], [], at_minute(9), claim(8, since=at_minute(8), lost=at_minute(4)))
    assert staging.mirror(ACCOUNT).events == EventInterval(at_minute(8), at_minute(8), at_minute(9), at_minute(8))
    assert rows(staging.path, "SELECT since, until, found_at FROM weir.gaps") == [(stored(4), stored(8), stored(9))]
    assert staging.mirror("acct_other").events is None


def test_event_interval_in_a_file_of_an_earlier_version_is_read(staging: DuckStaging) -> None:
    """Such a file has no time of the last search for late events."""
    staging.load([], [], at_minute(1), claim(1, since=at_minute(1)))
    with duckdb.connect(str(staging.path)) as file:
        file.execute("ALTER TABLE weir.events DROP COLUMN looked_back")
    assert staging.mirror(ACCOUNT).events == EventInterval(at_minute(1), at_minute(1), at_minute(1), None)
    staging.load([], [], at_minute(5), claim(4))
    assert staging.mirror(ACCOUNT).events == EventInterval(at_minute(1), at_minute(4), at_minute(5), None)


def test_next_read_starts_after_all_loaded_rows(staging: DuckStaging) -> None:
    assert staging.next_read(at_minute(9)) == at_minute(9)
    claims = [replace(covered(1), read_at=at_minute(2))]
    staging.load([], claims, at_minute(5), claim(4, since=at_minute(4), read_at=at_minute(3)))
    assert staging.next_read(at_minute(9)) == at_minute(9)
    assert staging.next_read(at_minute(4)) == at_minute(5) + timedelta(microseconds=1), "the clock went back"
    assert staging.coverage()[0].read_at == at_minute(2)
    assert staging.mirror(ACCOUNT).events == EventInterval(at_minute(4), at_minute(4), at_minute(3), at_minute(4))


def test_event_ids_are_kept_as_long_as_they_may_be_read_again(staging: DuckStaging) -> None:
    early, late = int(at_minute(1).timestamp()), int(at_minute(50).timestamp())
    staging.load([], [], at_minute(50), claim(50, applied=(("evt_1", early), ("evt_2", late))))
    assert staging.mirror(ACCOUNT).applied == (("evt_1", early), ("evt_2", late))
    later = EventClaim(ACCOUNT, at_minute(50) + timedelta(minutes=150))
    staging.load([], [], at_minute(51), Changes(events=(later,)))
    assert staging.mirror(ACCOUNT).applied == (("evt_2", late),)
    assert timedelta(seconds=2 * LATEST) < KEPT


def test_deleted_objects_get_a_tombstone_and_can_return(staging: DuckStaging, folder: Path) -> None:
    page = [[{"id": "a"}, {"id": "b"}]]
    staging.load([spool(folder, page)], [covered(1)], at_minute(1))
    report = staging.load([], [], at_minute(2), Changes(gone=(Gone(ACCOUNT, "charges", ("a", "unknown")),)))
    assert report.removed == 1
    assert deleted(staging) == ["a"]
    assert staging.load([], [], at_minute(3), Changes(gone=(Gone("acct_other", "charges", ("b",)),))).removed == 0
    staging.load([spool(folder, [[{"id": "a"}]])], [], at_minute(4))
    assert deleted(staging) == []


def test_children_missing_in_a_renewed_parent_are_deleted(staging: DuckStaging, folder: Path) -> None:
    parents = spool(folder, [[{"id": "p1"}, {"id": "p2"}, {"id": "p3"}]])
    children = [[{"id": f"c{n}", "charge": f"p{n % 3 + 1}"} for n in range(6)]]
    staging.load([parents, spool(folder, children, "refunds")], [covered(1)], at_minute(1))
    renewed = Changes(
        gone=(Gone(ACCOUNT, "charges", ("p2",)),), renewed=(Renewed(ACCOUNT, "refunds", "charge", "charges", "id"),)
    )
    files = [spool(folder, [[{"id": "p1"}]]), spool(folder, [[{"id": "c0", "charge": "p1"}]], "refunds")]
    assert staging.load(files, [], at_minute(2), renewed).removed == 4
    assert deleted(staging, "refunds") == ["c1", "c3", "c4"], "c3 of p1, and all of p2 that is gone itself"


def test_continuing_window_is_merged_with_the_previous_one(staging: DuckStaging) -> None:
    staging.load([], [covered(1, lt=1000)], at_minute(1))
    staging.load([], [replace(covered(5, gte=900, lt=2000), continues=at_minute(1))], at_minute(5))
    (found,) = staging.coverage()
    assert (found.window.gte, found.window.lt, found.as_of, found.read_at) == (None, 2000, at_minute(1), at_minute(1))
    assert (found.pages, found.rows) == (2, 2)


def test_window_that_does_not_continue_stays_separate(staging: DuckStaging) -> None:
    staging.load([], [covered(1, lt=1000)], at_minute(1))
    staging.load([], [covered(5, gte=900, lt=2000)], at_minute(5))
    assert [(each.window.gte, each.window.lt, each.as_of) for each in staging.coverage()] == [
        (None, 1000, at_minute(1)),
        (900, 2000, at_minute(5)),
    ]


def test_read_without_expanded_fields_keeps_the_claim_of_one_with_them(staging: DuckStaging) -> None:
    staging.load([], [replace(covered(1), expanded=("tax",))], at_minute(1))
    staging.load([], [covered(2)], at_minute(2))
    assert sorted(each.expanded for each in staging.coverage()) == [(), ("tax",)]
    staging.load([], [replace(covered(3), expanded=("sources", "tax"))], at_minute(3))
    assert [each.expanded for each in staging.coverage()] == [("sources", "tax")]


def test_forgotten_tables_claim_no_coverage(staging: DuckStaging) -> None:
    expanded = replace(covered(1), expanded=("tax",))
    staging.load([], [expanded, replace(covered(1), table="refunds")], at_minute(1), claim(1, since=at_minute(1)))
    staging.load([], [], at_minute(2), claim(2, forget=("charges",)))
    found = {each.table: each for each in staging.coverage()}
    assert [name for name, each in found.items() if each.complete] == ["refunds"]
    assert found["charges"].expanded == ("tax",), "what was loaded once is asked for again"
    staging.load([], [replace(covered(3), expanded=("tax",))], at_minute(3), claim(3, forget=("charges",)))
    assert all(each.complete for each in staging.coverage()), "it was read whole with them"


def test_open_rows_are_reported(staging: DuckStaging, folder: Path) -> None:
    page = [{"id": f"ch_{n}", "created": 100 + n, "status": "pending" if n % 2 else "paid"} for n in range(6)]
    staging.load([spool(folder, [page])], [covered(1)], at_minute(1))
    found = staging.mirror(ACCOUNT).open_rows["charges"]
    assert (found.count, found.oldest, found.newest, found.ids) == (3, 101, 105, ("ch_1", "ch_3", "ch_5"))
    assert "charges" not in staging.mirror("acct_other").open_rows


NO_SUCH_COLUMN = Changes(
    gone=(Gone(ACCOUNT, "charges", ("a",)),),
    renewed=(Renewed(ACCOUNT, "refunds", "no_such_column", "charges", "id"),),
    events=claim(2).events,
)
NO_SUCH_MOMENT = claim(2, applied=(("evt_1", 2**62),))


@pytest.mark.parametrize("broken", [NO_SUCH_COLUMN, NO_SUCH_MOMENT], ids=["rows", "events"])
def test_failed_load_stores_nothing(staging: DuckStaging, folder: Path, broken: Changes) -> None:
    """The load is atomic, whichever part cannot be stored."""
    staging.load([spool(folder, [[{"id": "a"}]])], [covered(1)], at_minute(1), claim(1, since=at_minute(1)))
    with pytest.raises(StoreError):
        staging.load([spool(folder, [[{"id": "b"}]])], [], at_minute(2), broken)
    assert deleted(staging) == []
    assert staging.mirror(ACCOUNT).events == EventInterval(at_minute(1), at_minute(1), at_minute(1), at_minute(1))
    assert rows(staging.path, "SELECT id FROM charges") == [("a",)]


def test_staging_file_refuses_rows_of_another_account(staging: DuckStaging) -> None:
    staging.load([], [], at_minute(1), Changes(identity=Identity("acct_1", livemode=False)))
    staging.load([], [], at_minute(2), Changes(identity=Identity("acct_1")))
    for other in (Identity("acct_2", livemode=False), Identity("acct_1", livemode=True)):
        with pytest.raises(StoreError) as refused:
            staging.load([], [covered(3)], at_minute(3), Changes(identity=other))
        assert refused.value.code == "E612"
    assert staging.coverage() == ()


def test_deletion_of_many_rows_needs_confirmation(staging: DuckStaging, folder: Path) -> None:
    everything = [[{"id": f"ch_{n}", "created": n} for n in range(1000)]]
    staging.load([spool(folder, everything)], [covered(1)], at_minute(1))
    few = spool(folder, [[{"id": f"ch_{n}", "created": n} for n in range(700)]])
    with pytest.raises(StoreError, match=r"300 of 1,000 rows of `charges` no longer exist") as refused:
        staging.load([few], [covered(2)], at_minute(2))
    assert refused.value.code == "E613"
    assert deleted(staging) == []
    willing = DuckStaging(staging.path, CATALOGUE, accept_deletes=True)
    assert willing.load([few], [covered(2)], at_minute(2)).removed == 300


def test_deletions_in_small_portions_are_summed(staging: DuckStaging, folder: Path) -> None:
    everything = [[{"id": f"ch_{n}", "created": n} for n in range(1000)]]
    staging.load([spool(folder, everything)], [covered(1)], at_minute(1))
    for start in (800, 600):
        window = covered(2, gte=start, lt=start + 200)
        kept = spool(folder, [[{"id": f"ch_{n}", "created": n} for n in range(start, start + 100)]])
        assert staging.load([kept], [window], at_minute(2)).removed == 100
    assert len(deleted(staging)) == 200, "a fifth"
    with pytest.raises(StoreError, match="201 of 1,000 rows"):
        staging.load([], [covered(2, gte=599, lt=600)], at_minute(2))


def test_upgraded_api_version_is_reported_with_its_columns(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[{"id": "a"}]])], [covered(1)], at_minute(1))
    assert staging.mirror(ACCOUNT).moves == {}
    wider = replace(catalogue(table("charges", Column("risk", INTEGER))), api_version="2027-01-01")
    (move,) = DuckStaging(staging.path, wider).mirror(ACCOUNT).moves.values()
    assert (move.before, move.added, move.removed, move.retyped) == ("2026-10-28", ("risk",), (), ())
    assert move.relation.find("risk") is not None, "of both versions"
    nothing = replace(catalogue(table("customers")), api_version="2027-01-01")
    (move,) = DuckStaging(staging.path, nothing).mirror(ACCOUNT).moves.values()
    assert (move.added, set(move.removed)) == ((), set(catalogue().tables["charges"].relation.names))
