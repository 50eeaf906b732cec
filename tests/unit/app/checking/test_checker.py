"""A checker that is used again and again: the same answers as a new one, and nothing piles up."""

from __future__ import annotations

from pathlib import Path

from engine.app.checker import _WORN, Checker
from engine.graph import Import
from tests.support.reload.definitions import BASE, files_of, load, table


def test_what_no_file_says_any_more_is_forgotten() -> None:
    with Checker() as checker:
        for number in range(_WORN + 5):
            fresh = f"x_{number}"
            sql = f"SELECT id, email FROM customers WHERE balance <> {number}"
            texts = {
                **BASE,
                f"interfaces/{fresh}.yaml": load(fresh, sql=sql),
                f"schemas/{fresh}.yaml": table(fresh, f"  more_{number}: text\n"),
            }
            checked = checker.check(Path(), files_of(texts))
            assert not checked.has_errors
            (box,) = (step for step in checked.graph.steps if isinstance(step, Import) and step.interface == fresh)
            assert f"balance <> {number}" in box.box.sql
        assert checker._read.known.keys() == texts.keys()
        assert checker._specs.known.keys() <= texts.keys()
        assert len(checker._bound._boxes) < 20
        assert checker._bound.binder is checker._binder


def test_a_new_binder_says_what_the_old_one_said() -> None:
    with Checker() as checker, Checker() as cold:
        files = files_of({**BASE, "interfaces/x.yaml": load("x", sql="SELECT idd FROM customers", into="b")})
        expected = cold.check(Path(), files)
        assert expected.has_errors
        for _ in range(_WORN + 1):
            found = checker.check(Path(), files)
        assert (found.graph, found.diagnostics) == (expected.graph, expected.diagnostics)
