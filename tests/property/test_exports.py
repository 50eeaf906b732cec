"""After any comparison and its planned writes, the next comparison plans no write."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.graph import EntityFacts, ExportAction, WriteColumn
from engine.plan import compare_writes, writes_from_json, writes_hash, writes_to_json
from tests.support.duck.exported import ARCHIVE, Shop, by, column, export
from tests.support.effort import examples

TEXTS = st.one_of(st.none(), st.sampled_from(["", "a", "B", "null", "ä“%_'\"", "0", "true"]))
WHOLE = st.one_of(st.none(), st.integers(-3, 3), st.just(2**40))
VALUES: dict[str, Any] = {
    "name": TEXTS,
    "status": st.sampled_from([None, "", "new", "old"]),
    "quantity": WHOLE,
    "ratio": st.one_of(st.none(), st.sampled_from([0.0, 0.1, -2.5, 1e22, 5e-324])),
    "rate": st.one_of(st.none(), st.sampled_from(["0", "0.10", "-3.000000000001", "12"])),
    "paid": st.sampled_from([None, True, False]),
    "due": st.one_of(st.none(), st.integers(-1, 3).map(lambda n: datetime.fromtimestamp(n, UTC).replace(tzinfo=None))),
    "tags": st.one_of(st.none(), st.lists(st.sampled_from(["x", "y z", 'q"r']), max_size=3)),
    "city": TEXTS,
    "line1": TEXTS,
    "note": TEXTS,
    "amount": WHOLE,
}
TYPES = {
    "name": "VARCHAR", "status": "VARCHAR", "quantity": "BIGINT", "ratio": "DOUBLE", "rate": "DECIMAL(38,12)",
    "paid": "BOOLEAN", "due": "TIMESTAMP", "tags": "VARCHAR[]", "city": "VARCHAR", "line1": "VARCHAR",
    "note": "VARCHAR",
    "amount": "BIGINT",
}  # fmt: skip
PATHS = {"city": "address[city]", "line1": "address[line1]", "note": "metadata[note]"}
KEYS = ("a", "b", "c", "d")
Row = Mapping[str, Any]


def columns(skipped: frozenset[str]) -> tuple[WriteColumn, ...]:
    made = [column("metadata[k]", "k")]
    for name in VALUES:
        immutable = name == "amount"
        made.append(column(PATHS.get(name, name), name, skip_if_empty=name in skipped, immutable=immutable))
    return (*made, column("active", None, default="TRUE"))


def shown(identifier: str, key: str, row: Row) -> dict[str, Any]:
    """An object that shows these values."""
    plain = {name: value for name, value in row.items() if name not in PATHS}
    address = {name: row[name] for name in ("city", "line1") if row[name] is not None}
    metadata = {"k": key, **({"note": row["note"]} if row["note"] else {})}
    return {"id": identifier, **plain, "address": address, "metadata": metadata, "active": True}


def select(folder: Path, rows: Mapping[str, Row]) -> str:
    """A query that yields these rows."""
    path = folder / f"given{len(list(folder.iterdir()))}.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t (k VARCHAR, {', '.join(f'{name} {kind}' for name, kind in TYPES.items())})")
        for key, row in rows.items():
            marks = ", ".join("?" for _ in range(len(TYPES) + 1))
            connection.execute(f"INSERT INTO t VALUES ({marks})", [key, *(row[name] for name in TYPES)])
        connection.execute(f"COPY t TO '{path}'")
    return f"SELECT * FROM '{path}'"


ROWS = st.dictionaries(st.sampled_from(KEYS), st.fixed_dictionaries(VALUES), max_size=4)


@settings(max_examples=examples(8))
@given(
    there=ROWS,
    rows=ROWS,
    later=ROWS,
    skipped=st.frozensets(st.sampled_from(sorted(VALUES))),
    missing=st.sampled_from(["keep", "archive", "delete"]),
)
def test_second_comparison_plans_no_write(
    there: Mapping[str, Row], rows: Mapping[str, Row], later: Mapping[str, Row], skipped: frozenset[str], missing: str
) -> None:
    facts = EntityFacts(archives=("active", "false"), handover=None)
    step = export(ExportAction.UPSERT, [by("metadata[k]", "k")], *columns(skipped), on_missing=missing, facts=facts)
    assert step.verb("replace") == ARCHIVE
    with tempfile.TemporaryDirectory() as name:
        shop = Shop(Path(name))
        shop.put(*(shown(f"id_{key}", key, row) for key, row in there.items()))
        known: dict[str, str] = {}
        for wanted in (rows, later):
            sql = select(Path(name), wanted)
            comparison = shop.compare(step, sql, identities=known)
            writes = comparison.writes
            assert writes.refused == 0
            assert writes.unchanged + len([each for each in writes.writes if each.row is not None]) == len(wanted)
            assert (before := writes_to_json([writes])) == writes_to_json(writes_from_json(before))
            assert all(each.parameters for each in writes.writes if each.target != "things.delete")
            retired = {each.key for each in writes.writes if each.use == "retire"}
            known = {**known, **comparison.found, **shop.do(writes)}
            known = {key: value for key, value in known.items() if key not in retired}
            again = shop.writes(step, sql, identities=known)
            assert again.writes == ()
            assert again.unchanged == len(wanted)
            assert shop.writes(step, sql).writes == (), "nor one that has forgotten what it wrote"
            assert writes_hash([writes]) == writes_hash([writes])
            assert compare_writes(writes, writes) == ()
            assert len(compare_writes(writes, again, limit=999)) >= len(writes.writes)
