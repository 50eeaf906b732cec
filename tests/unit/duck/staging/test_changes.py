"""`_changed_at`: the time of the last change of a row in the mirror."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
import pytest

from engine.connector import Changes, Gone, MirrorInstant, Op, Predicate
from engine.connector.spool import SpoolError
from engine.duck.staging.staging import DuckStaging
from tests.support.duck.staged import at_minute, catalogue, covered, rows, spool, stored

ADDRESS = {"city": "Zürich", "lines": [1, None]}


@pytest.fixture
def staging(tmp_path: Path) -> DuckStaging:
    return DuckStaging(tmp_path / "stripe.duckdb", catalogue())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "spool"
    path.mkdir()
    return path


def charge(key: str, **fields: object) -> dict[str, object]:
    return {"id": key, "created": 1_700_000_000, "status": "open", "amount": 1, **fields}


def changed(staging: DuckStaging) -> dict[object, object]:
    return dict(rows(staging.path, "SELECT id, _changed_at FROM charges"))


def seen_at(staging: DuckStaging) -> datetime:
    found = staging.position()
    assert found is not None
    return found.changed_at.replace(tzinfo=None)


def test_changed_at_of_a_new_row_is_its_first_read(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[charge("a"), charge("b")]])], [], at_minute(1))
    assert changed(staging) == {"a": stored(1), "b": stored(1)}
    staging.load([spool(folder, [[charge("c")]])], [], at_minute(2))
    assert changed(staging) == {"a": stored(1), "b": stored(1), "c": stored(2)}


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": 2},
        {"amount": None},
        {"rate": "0.000000000001"},
        {"status": ""},
        {"status": None},
        {"paid": False},
        {"created": 1_700_000_001},
        {"address": {**ADDRESS, "lines": [None, 1]}},
        {"address": None},
        {"metadata": {"k": "w"}},
        {"metadata": {}},
        {"metadata": None},
        {"metadata": {"k": "v", "l": ""}},
        {"_extra": {"new": 1}},
    ],
)
def test_changed_at_moves_only_when_a_column_changes(
    staging: DuckStaging, folder: Path, fields: dict[str, object]
) -> None:
    before = charge("a", rate="0.5", address=ADDRESS, metadata={"k": "v"})
    staging.load([spool(folder, [[before, charge("b", metadata={})]])], [], at_minute(1))
    staging.load([spool(folder, [[before, charge("b", metadata={})]])], [], at_minute(2))
    assert changed(staging) == {"a": stored(1), "b": stored(1)}
    assert rows(staging.path, "SELECT DISTINCT _read_at FROM charges") == [(stored(2),)]
    staging.load([spool(folder, [[{**before, **fields}, charge("b", metadata={})]])], [], at_minute(3))
    assert changed(staging) == {"a": stored(3), "b": stored(1)}


def test_changed_at_distinguishes_an_empty_map_from_null(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[charge("a", metadata={}), charge("b", metadata=None)]])], [], at_minute(1))
    staging.load([spool(folder, [[charge("a", metadata=None), charge("b", metadata={})]])], [], at_minute(2))
    assert changed(staging) == {"a": stored(2), "b": stored(2)}


def test_changed_at_compares_only_the_last_row_of_a_load(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[charge("a")]])], [], at_minute(1))
    there_and_back = [charge("a", amount=2)], [charge("a")]
    staging.load([spool(folder, there_and_back)], [], at_minute(2))
    assert changed(staging) == {"a": stored(1)}


def test_changed_at_is_kept_by_account(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[charge("a")]], account="acct_1")], [], at_minute(1))
    staging.load([spool(folder, [[charge("a")]], account="acct_2")], [], at_minute(2))
    found = rows(staging.path, "SELECT _account, _changed_at FROM charges ORDER BY ALL")
    assert found == [("acct_1", stored(1)), ("acct_2", stored(2))]


def test_changed_at_moves_when_a_row_is_deleted_or_restored(staging: DuckStaging, folder: Path) -> None:
    both = [charge("a"), charge("b")]
    staging.load([spool(folder, [both])], [covered(1)], at_minute(1))
    staging.load([spool(folder, [[charge("b")]])], [covered(2)], at_minute(2))
    assert changed(staging) == {"a": stored(2), "b": stored(1)}
    staging.load([spool(folder, [both])], [covered(3)], at_minute(3))
    assert changed(staging) == {"a": stored(3), "b": stored(1)}
    staging.load([], [], at_minute(4), Changes(gone=(Gone("acct_1", "charges", ("b",)),)))
    assert changed(staging) == {"a": stored(3), "b": stored(4)}
    staging.load([], [], at_minute(5), Changes(gone=(Gone("acct_1", "charges", ("b",)),)))
    assert changed(staging) == {"a": stored(3), "b": stored(4)}


def test_changed_at_moves_when_a_hidden_row_becomes_visible(staging: DuckStaging, folder: Path) -> None:
    open_only = ((Predicate("status", Op.EQ, ("open",)),),)
    staging.load([spool(folder, [[charge("a")]])], [covered(1)], at_minute(1))
    staging.load([], [covered(2, where=open_only)], at_minute(2))
    assert changed(staging) == {"a": stored(1)}
    # A reader that first read while the row was hidden has not seen it.
    staging.load([spool(folder, [[charge("a")]])], [covered(3, where=open_only)], at_minute(3))
    assert changed(staging) == {"a": stored(3)}


def test_changed_at_increases_although_the_clock_goes_back(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[charge("a")]])], [], at_minute(5))
    for amount, minute in ((2, 5), (3, 4), (4, 6)):
        seen = seen_at(staging)
        staging.load([spool(folder, [[charge("a", amount=amount)]])], [], at_minute(minute))
        assert list(changed(staging).values()) == [seen_at(staging)]
        assert seen_at(staging) > seen
    assert changed(staging) == {"a": stored(6)}


def test_changed_at_in_a_file_without_the_column_starts_at_the_upgrade(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[charge("a"), charge("b")]])], [], at_minute(1))
    with duckdb.connect(str(staging.path)) as connection:
        connection.execute("ALTER TABLE charges DROP COLUMN _changed_at; DROP TABLE weir.file")
    staging.load([spool(folder, [[charge("b")]])], [], at_minute(2))
    assert changed(staging) == {"a": stored(2), "b": stored(2)}
    staging.load([spool(folder, [[charge("b")]])], [], at_minute(3))
    assert changed(staging) == {"a": stored(2), "b": stored(2)}


def test_each_staging_file_has_its_own_identity(tmp_path: Path, folder: Path) -> None:
    found = set()
    assert DuckStaging(tmp_path / "stripe.duckdb", catalogue()).position() is None
    for _ in range(3):
        staging = DuckStaging(tmp_path / "stripe.duckdb", catalogue())
        staging.load([spool(folder, [[charge("a")]])], [], at_minute(1))
        first = staging.position()
        assert first is not None
        staging.load([], [covered(2)], at_minute(2))
        assert staging.position() == MirrorInstant(first.file, at_minute(2))
        assert first.leads_to(staging.position())
        found.add(first.file)
        staging.path.unlink()
    assert len(found) == 3


def test_failed_load_changes_no_timestamp(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[charge("a")]])], [], at_minute(1))
    before = staging.position()
    broken = spool(folder, [[charge("a", amount=2)]])
    cut = Path(broken.path)
    cut.write_bytes(cut.read_bytes()[:-7])
    with pytest.raises(SpoolError):
        staging.load([broken], [], at_minute(2))
    assert staging.position() == before
    assert changed(staging) == {"a": stored(1)}
