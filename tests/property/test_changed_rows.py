"""After any history of loads, the rows changed since a timestamp are those whose content differs."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.connector import Changes, Gone, MirrorInstant, Op, Predicate
from engine.duck.staging.staging import DuckStaging
from tests.support.duck.staged import at_minute, catalogue, covered, rows, spool
from tests.support.effort import examples

KEYS = "ab"
Content = tuple[int | None, str, str | None]
Page = dict[str, Content]

contents = st.sampled_from([(1, "open", None), (1, "open", ""), (2, "open", None), (1, "paid", None)])
pages = st.dictionaries(st.sampled_from(KEYS), contents, max_size=2)
loads = st.tuples(st.lists(pages, min_size=1, max_size=2), st.sampled_from(["part", "whole", "open only", "deleted a"]))
OPEN = ((Predicate("status", Op.EQ, ("open",)),),)


@dataclass
class Model:
    """The live rows: content, and a number that changes with each change or return."""

    rows: dict[str, tuple[Content, int]] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    gone: dict[str, int] = field(default_factory=dict)
    changes: int = 0

    def load(self, page: Page, kind: str) -> None:
        self.changes += 1
        for key, content in page.items():
            before = self.rows.get(key)
            if before is None or before[0] != content:
                self.rows[key] = (content, self.changes)
            self.known.add(key)
            self.gone.pop(key, None)
        if kind == "whole":
            for key in self.known - page.keys():
                self.bury(key)
        if kind == "open only":
            for key in [key for key, (row, _) in self.rows.items() if row[1] == "open" and key not in page]:
                del self.rows[key]
        if kind == "deleted a" and "a" in self.known:
            self.bury("a")

    def bury(self, key: str) -> None:
        self.rows.pop(key, None)
        self.gone.setdefault(key, self.changes)


def loaded(staging: DuckStaging, folder: Path, seen: list[Page], kind: str, minute: int) -> None:
    files = [spool(folder, [[row(key, content) for key, content in page.items()]]) for page in seen if page]
    coverage = {"whole": [covered(minute)], "open only": [covered(minute, where=OPEN)]}.get(kind, [])
    gone = Changes(gone=(Gone("acct_1", "charges", ("a",)),)) if kind == "deleted a" else Changes()
    if not files and not coverage and kind == "deleted a" and not staging.path.exists():
        return
    staging.load(files, coverage, at_minute(minute), gone)


def row(key: str, content: Content) -> dict[str, object]:
    amount, status, text = content
    metadata = {"text": text} if text else {} if text is None else None
    return {"id": key, "created": 1, "amount": amount, "status": status, "metadata": metadata}


def changed(staging: DuckStaging, since: MirrorInstant, *, gone: bool) -> set[str]:
    """The rows that a box would see: those of `changed.charges`, or the deleted ones of `changed.charges_all`."""
    live = "_deleted_at < TIMESTAMP 'infinity'" if gone else "_deleted_at IS NULL"
    at = since.changed_at.replace(tzinfo=None)
    try:
        found = rows(staging.path, f"SELECT id FROM charges WHERE {live} AND _changed_at > TIMESTAMP '{at}'")
    except duckdb.CatalogException:  # Nothing has been loaded into the table yet.
        return set()
    return {str(key) for (key,) in found}


@settings(max_examples=examples(15), deadline=None)
@given(st.lists(loads, min_size=3, max_size=5))
def test_changed_rows_are_those_with_different_content(history: list[tuple[list[Page], str]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "spool"
        folder.mkdir()
        staging = DuckStaging(Path(name) / "stripe.duckdb", catalogue())
        model = Model()
        instants: list[tuple[MirrorInstant, int]] = []
        for minute, (seen, kind) in enumerate(history):
            loaded(staging, folder, seen, kind, minute)
            model.load({key: content for page in seen for key, content in page.items()}, kind)
            now = staging.position()
            if now is None:
                continue
            instants.append((now, model.changes))
            for since, number in instants:
                live = {key for key, (_, change) in model.rows.items() if change > number}
                assert changed(staging, since, gone=False) == live
                gone = {key for key, change in model.gone.items() if change > number}
                assert changed(staging, since, gone=True) == gone
