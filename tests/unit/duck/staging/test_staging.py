"""Staging stores each row once, with its coverage."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from engine.connector import Op, Predicate, TimestampFormat
from engine.connector.spool import SpoolError
from engine.duck.staging.staging import DuckStaging
from engine.relation import INTEGER, TEXT, Column
from engine.run import Drift, StoreError
from tests.support.duck.staged import ACCOUNT, at_minute, catalogue, covered, duck_time, rows, spool, stored, table

DELETED = "_deleted_at < 'infinity'"


@pytest.fixture
def staging(tmp_path: Path) -> DuckStaging:
    return DuckStaging(tmp_path / "staging" / "stripe.duckdb", catalogue())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "spool"
    path.mkdir()
    return path


def charge(key: str, created: int = 1_700_000_000, **fields: object) -> dict[str, object]:
    return {"id": key, "object": "charge", "created": created, "status": "open", **fields}


def live(staging: DuckStaging) -> list[object]:
    found = rows(staging.path, "SELECT id FROM charges WHERE _deleted_at IS NULL ORDER BY id")
    return [key for (key,) in found]


def test_loaded_values_have_their_types(staging: DuckStaging, folder: Path) -> None:
    address = {"city": "Zürich", "lines": [1, None, {"a": "b"}]}
    page = [
        charge("a", amount=2**62, rate="12.123456789012", paid=True, address=address, metadata={"k": "v", "ü": ""}),
        charge("b", created="2026-03-01T10:00:00.250Z", amount=None, rate=None, paid=None, address=None, metadata={}),
        {"id": "c", "_extra": {"new": [1, 2], "amount": "x"}},
    ]
    report = staging.load([spool(folder, [page])], [covered(1)], at_minute(1))
    assert (report.rows, report.removed, report.drift) == (3, 0, ())
    found = rows(staging.path, "SELECT created, amount, rate, paid, address, metadata FROM charges ORDER BY id")
    assert found[0][:4] == (duck_time(1_700_000_000), 2**62, Decimal("12.123456789012"), True)
    assert json.loads(str(found[0][4])) == address
    assert found[0][5] == {"k": "v", "ü": ""}
    assert found[1] == (duck_time(1_772_359_200.25), None, None, None, None, {})
    assert found[2] == (None,) * 6
    system = "SELECT DISTINCT _account, _livemode, _api_version, _read_at, _source, _deleted_at FROM charges"
    assert rows(staging.path, system) == [("acct_1", False, "2026-10-28", stored(1), "list", None)]
    extra = dict(rows(staging.path, "SELECT id, _extra FROM charges WHERE _extra IS NOT NULL"))
    assert {key: json.loads(str(value)) for key, value in extra.items()} == {"c": {"new": [1, 2], "amount": "x"}}


@pytest.mark.parametrize(
    ("written", "value", "seconds"),
    [
        (TimestampFormat.UNIX_SECONDS, 1_772_359_200, 1_772_359_200),
        (TimestampFormat.UNIX_SECONDS, "2026-03-01T10:00:00Z", None),
        (TimestampFormat.UNIX_MILLISECONDS, 1_772_359_200_250, 1_772_359_200.25),
        (TimestampFormat.RFC_3339, "2026-03-01T10:00:00.250Z", 1_772_359_200.25),
        (TimestampFormat.RFC_3339, "2026-03-01T12:00:00+02:00", 1_772_359_200),
        (TimestampFormat.RFC_3339, 1_772_359_200, None),
        (TimestampFormat.UNIX_SECONDS_OR_RFC_3339, 1_772_359_200, 1_772_359_200),
        (TimestampFormat.UNIX_SECONDS_OR_RFC_3339, "2026-03-01T10:00:00Z", 1_772_359_200),
    ],
)
def test_timestamps_are_read_as_the_table_declares(
    folder: Path, written: TimestampFormat, value: object, seconds: float | None
) -> None:
    staging = DuckStaging(folder.parent / "shop.duckdb", catalogue(replace(table(), timestamps=written)))
    staging.load([spool(folder, [[{"id": "a", "created": value}]])], [], at_minute(1))
    assert rows(staging.path, "SELECT created FROM charges") == [(None if seconds is None else duck_time(seconds),)]


def test_row_loaded_twice_is_stored_once_in_its_last_form(staging: DuckStaging, folder: Path) -> None:
    first = [spool(folder, [[charge("a", amount=1), charge("b", amount=1)], [charge("a", amount=2)]])]
    assert staging.load(first, [], at_minute(1)).rows == 3
    assert rows(staging.path, "SELECT id, amount FROM charges ORDER BY id") == [("a", 2), ("b", 1)]
    staging.load([spool(folder, [[charge("b", amount=9), charge("c", amount=1)]])], [], at_minute(2))
    assert rows(staging.path, "SELECT id, amount FROM charges ORDER BY id") == [("a", 2), ("b", 9), ("c", 1)]
    staging.load([spool(folder, [[charge("a", amount=7)]], account="acct_2")], [], at_minute(3))
    found = rows(staging.path, "SELECT _account, amount FROM charges WHERE id = 'a' ORDER BY ALL")
    assert found == [("acct_1", 2), ("acct_2", 7)]


def test_files_of_one_load_keep_their_own_account(staging: DuckStaging, folder: Path) -> None:
    files = [spool(folder, [[charge("a")]], account="acct_1"), spool(folder, [[charge("a")]], account="acct_2")]
    staging.load([*files, spool(folder, [[{"id": "cus"}]], bucket="customers", account=None)], [], at_minute(1))
    assert rows(staging.path, "SELECT _account FROM charges ORDER BY 1") == [("acct_1",), ("acct_2",)]
    assert rows(staging.path, "SELECT _account, id FROM customers") == [("", "cus")]


def test_row_missing_in_a_complete_read_gets_a_tombstone(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[charge("a"), charge("b")]])], [covered(1)], at_minute(1))
    report = staging.load([spool(folder, [[charge("b")]])], [covered(2)], at_minute(2))
    assert report.removed == 1
    assert live(staging) == ["b"]
    assert rows(staging.path, "SELECT id, _deleted_at FROM charges WHERE id = 'a'") == [("a", stored(2))]
    staging.load([spool(folder, [[charge("a"), charge("b")]])], [covered(3)], at_minute(3))
    assert live(staging) == ["a", "b"]


def test_read_deletes_only_within_its_window_account_and_filter(staging: DuckStaging, folder: Path) -> None:
    page = [charge("a", 100), charge("b", 200), charge("c", 300), charge("d", 250, status="paid")]
    staging.load([spool(folder, [page])], [covered(1)], at_minute(1))
    assert staging.load([], [covered(2, gte=100, lt=200, complete=False)], at_minute(2)).removed == 0
    assert staging.load([], [covered(2, account="acct_2")], at_minute(2)).removed == 0
    assert (
        staging.load(
            [], [covered(2, gte=150, lt=300, where=((Predicate("nope", Op.EQ, (1,)),),))], at_minute(2)
        ).removed
        == 0
    )
    paid = (Predicate("status", Op.IN, ("paid", "x")),)
    assert staging.load([], [covered(3, gte=150, lt=300, where=(paid,))], at_minute(3)).removed == 1
    assert live(staging) == ["a", "b", "c"]
    assert staging.load([], [covered(4, gte=200, lt=300)], at_minute(4)).removed == 2
    assert live(staging) == ["a", "c"]


def test_row_outside_a_filter_is_deleted_only_by_an_unfiltered_read(staging: DuckStaging, folder: Path) -> None:
    paid = ((Predicate("status", Op.EQ, ("paid",)),),)
    page = [charge("a", status="paid"), charge("b", status="paid"), charge("c")]
    staging.load([spool(folder, [page])], [covered(1)], at_minute(1))
    assert staging.load([], [covered(2, where=paid)], at_minute(2)).removed == 2
    assert live(staging) == ["c"]
    assert rows(staging.path, f"SELECT id FROM charges WHERE {DELETED}") == []
    assert staging.load([], [covered(3, where=paid)], at_minute(3)).removed == 0
    back = [charge("b", status="open"), charge("c")]
    assert staging.load([spool(folder, [back])], [covered(4)], at_minute(4)).removed == 1
    assert live(staging) == ["b", "c"]
    assert rows(staging.path, f"SELECT id, _deleted_at FROM charges WHERE {DELETED}") == [("a", stored(4))]


def test_filters_compare_timestamps_as_unix_seconds(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[charge("a", 100), charge("b", 200)]])], [], at_minute(1))
    where = (
        (Predicate("created", Op.GT, (150,)), Predicate("paid", Op.EQ, (True,))),
        (Predicate("created", Op.LE, (100,)),),
    )
    assert staging.load([], [covered(2, where=where)], at_minute(2)).removed == 1
    assert live(staging) == ["b"]
    assert staging.load([], [covered(3, where=())], at_minute(3)).removed == 0


def test_rows_read_repeatedly_are_counted_once(staging: DuckStaging, folder: Path) -> None:
    assert staging.mirrors() == ()
    page = [{"id": f"ch_{number}", "created": number} for number in range(7)]
    for second in (1, 2):
        where = ((Predicate("status", Op.EQ, ("paid",)),),) if second == 2 else ((),)
        staging.load([spool(folder, [page])], [covered(second, where=where)], at_minute(second))
    (mirror,) = staging.mirrors()
    assert (mirror.account, mirror.rows) == (ACCOUNT, {"charges": 7})


def test_coverage_is_stored_replaced_and_forgotten(staging: DuckStaging, folder: Path) -> None:
    assert staging.coverage() == ()
    open_only = ((Predicate("status", Op.EQ, ("open",)),),)
    staging.load([], [covered(1, gte=0, lt=100), covered(1, gte=100, lt=200)], at_minute(1))
    staging.load([], [covered(1, where=open_only)], at_minute(1))
    assert [(each.window.gte, each.window.lt, each.where) for each in staging.coverage()] == [
        (None, None, open_only),
        (0, 200, ((),)),
    ]
    staging.load([], [covered(2, gte=0, lt=200)], at_minute(2))
    assert [(each.window.gte, each.window.lt) for each in staging.coverage()] == [(None, None), (0, 200)]
    everything = covered(3)
    staging.load([spool(folder, [[charge("a")]])], [everything], at_minute(3))
    assert staging.coverage() == (replace(everything, read_at=at_minute(3)),)


def test_filtered_read_that_deletes_rows_ends_older_claims(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[charge("a"), charge("b")]])], [covered(1)], at_minute(1))
    open_only = covered(2, where=((Predicate("status", Op.EQ, ("open",)),),))
    staging.load([spool(folder, [[charge("a")]])], [open_only], at_minute(2))
    assert staging.coverage() == (replace(open_only, read_at=at_minute(2)),)


def test_drift_is_summed_and_stored_once(staging: DuckStaging, folder: Path) -> None:
    one = spool(folder, [[charge("a")]], drift=[("new", "unknown", 2), ("amount", "mistyped", 1)])
    two = spool(folder, [[charge("b")]], drift=[("new", "unknown", 3)])
    report = staging.load([one, two], [], at_minute(1))
    assert report.drift == (Drift("charges", "amount", "mistyped", 1), Drift("charges", "new", "unknown", 5))
    staging.load([two], [], at_minute(2))
    found = rows(staging.path, 'SELECT field, "rows", first_seen, last_seen FROM weir.drift ORDER BY field')
    assert found == [
        ("amount", 1, stored(1), stored(1)),
        ("new", 3, stored(1), stored(2)),
    ]


def test_new_columns_are_added_and_retyped_ones_are_emptied(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[charge("a")]])], [covered(1)], at_minute(1))
    wider = DuckStaging(staging.path, catalogue(table("charges", Column("risk", INTEGER))))
    wider.load([spool(folder, [[charge("b", risk=7)]])], [], at_minute(2))
    assert rows(staging.path, "SELECT id, risk FROM charges ORDER BY id") == [("a", None), ("b", 7)]
    assert len(wider.coverage()) == 1
    other = DuckStaging(staging.path, catalogue(table("charges", Column("risk", TEXT))))
    other.load([spool(folder, [[charge("c", risk="high")]])], [], at_minute(3))
    assert rows(staging.path, "SELECT id, risk FROM charges") == [("c", "high")]
    assert other.coverage() == ()


def test_truncated_spool_file_changes_nothing(staging: DuckStaging, folder: Path) -> None:
    staging.load([spool(folder, [[charge("a")]])], [covered(1)], at_minute(1))
    good = spool(folder, [[charge("b")]] * 20)
    cut = Path(good.path)
    cut.write_bytes(cut.read_bytes()[:-7])
    with pytest.raises(SpoolError):
        staging.load([spool(folder, [[charge("c")]], bucket="customers"), good], [covered(2)], at_minute(2))
    assert live(staging) == ["a"]
    assert staging.coverage() == (replace(covered(1), read_at=at_minute(1)),)
    assert rows(staging.path, "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'") == [("charges",)]


def test_invalid_json_changes_nothing(staging: DuckStaging, folder: Path) -> None:
    file = spool(folder, [[charge("a")]])
    body = Path(file.path).read_bytes()
    Path(file.path).write_bytes(body.replace(b'"charge"', b'"charg\xff"'))
    with pytest.raises(StoreError, match="pages could not be stored") as raised:
        staging.load([file], [covered(1)], at_minute(1))
    assert raised.value.code == "E611"
    assert staging.coverage() == ()


def test_load_of_an_unknown_table_is_refused(staging: DuckStaging, folder: Path) -> None:
    with pytest.raises(KeyError):
        staging.load([spool(folder, [[charge("a")]], bucket="nope")], [], at_minute(1))
    assert not staging.path.exists()


def test_unusual_names_and_texts_are_stored_unchanged(tmp_path: Path, folder: Path) -> None:
    odd = 'it\'s "odd" \\ ü'
    staging = DuckStaging(tmp_path / "o'dd.duckdb", catalogue(table("charges", Column(odd, TEXT))))
    text = "'; DROP TABLE charges; -- \" \\ \u0000 🦆"
    staging.load([spool(folder, [[charge("a", **{odd: text})]])], [], at_minute(1))
    escaped = odd.replace('"', '""')
    assert rows(staging.path, f'SELECT "{escaped}" FROM charges') == [(text,)]
