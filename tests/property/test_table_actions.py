"""Any sequence of imports leaves the table as in a plain Python model, including rejects and NULL keys."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.duck.schema.store import DuckTableStore
from engine.graph import Action, MapColumn
from engine.relation import INTEGER, TEXT, Column, Relation
from engine.run import BoxResult, ImportJob, StoreError
from tests.support.effort import examples

RELATION = Relation((Column("a", TEXT), Column("b", INTEGER), Column("v", TEXT, required=True), Column("n", INTEGER)))
MAPPING = (
    MapColumn("a", source="x"),
    MapColumn("b", source="y"),
    MapColumn("v", source="v", skip_if_empty=True),
    MapColumn("n", source="n", default="7"),
)
Key = tuple[str | None, int | None]
Row = tuple[str | None, str | None, str | None, str | None]

rows = st.tuples(
    st.sampled_from([None, "p", "q", "r"]),
    st.sampled_from([None, "1", "2", "oops"]),
    st.sampled_from([None, "", "one", "two"]),
    st.sampled_from([None, "5", "6", "5.5"]),
)
jobs = st.tuples(st.sampled_from(list(Action)), st.lists(rows, max_size=6))


def converted(action: Action, box: list[Row]) -> tuple[list[tuple[Key, str | None, int]], set[Key]]:
    """The valid rows, and the keys of the rejected ones."""
    good: list[tuple[Key, str | None, int]] = []
    bad: set[Key] = set()
    for a, b, v, n in box:
        key = (a, int(b) if b not in (None, "oops") else None)
        if b == "oops" or (n == "5.5" and action is not Action.DELETE):
            bad.add(key)
        else:
            good.append((key, v or None, 7 if n is None else int(float(n))))
    return good, bad


@dataclass
class Model:
    table: dict[Key, tuple[str, int]] = field(default_factory=dict)

    def apply(self, action: Action, box: list[Row]) -> tuple[int, int, int, int, int] | None:
        """The counts, or None for a duplicate key."""
        good, bad_keys = converted(action, box)
        refused = len(box) - len(good)
        keys = [key for key, _, _ in good]
        if action is Action.DELETE:
            gone = [key for key in set(keys) if self.table.pop(key, None) is not None]
            return 0, 0, len(gone), 0, refused
        if len(set(keys)) < len(keys):
            return None
        inserted = updated = unchanged = deleted = 0
        before = dict(self.table)
        for key, v, n in good:
            old = before.get(key)
            if old is None:
                if action is Action.UPDATE:
                    continue
                if v is None:
                    refused += 1
                else:
                    self.table[key] = (v, n)
                    inserted += 1
                continue
            new = (v if v is not None else old[0], n)
            if new == old:
                unchanged += 1
            elif action is Action.INSERT:
                refused += 1
            else:
                self.table[key] = new
                updated += 1
        if action is Action.REPLACE:
            for key in set(before) - set(keys) - bad_keys:
                del self.table[key]
                deleted += 1
        return inserted, updated, deleted, unchanged, refused


def write_box(path: Path, box: list[Row]) -> BoxResult:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE result (x VARCHAR, y VARCHAR, v VARCHAR, n VARCHAR)")
        for row in box:
            connection.execute("INSERT INTO result VALUES (?, ?, ?, ?)", row)
    return BoxResult(path, RELATION, len(box))


def counts(store: DuckTableStore, action: Action, result: BoxResult) -> tuple[int, int, int, int, int] | str:
    """The counts that the store reports, or the code of its refusal."""
    job = ImportJob("run", "step", "t", RELATION, ("a", "b"), action, (("a", "x"), ("b", "y")), MAPPING, 100, None)
    try:
        report = store.apply(job, result)
    except StoreError as error:
        return error.code
    return report.inserted, report.updated, report.deleted, report.unchanged, report.rejected


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(jobs, min_size=1, max_size=4))
def test_any_sequence_of_imports_matches_the_model(sequence: list[tuple[Action, list[Row]]]) -> None:
    model = Model()
    with tempfile.TemporaryDirectory() as folder:
        store = DuckTableStore(Path(folder) / "store.duckdb")
        for number, (action, box) in enumerate([(Action.UPSERT, []), *sequence]):
            result = write_box(Path(folder) / f"box{number}.duckdb", box)
            expected = model.apply(action, box)
            assert counts(store, action, result) == ("E602" if expected is None else expected)
            with duckdb.connect(str(store.path), read_only=True) as connection:
                present = connection.execute("SELECT a, b, v, n FROM t").fetchall()
            assert {(a, b): (v, n) for a, b, v, n in present} == model.table
            assert len(present) == len(model.table)
