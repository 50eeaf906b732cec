"""A checker that is used repeatedly returns the same result as a new one, and its memory does not grow."""

from __future__ import annotations

from pathlib import Path

from engine.app.checking.check import _WORN, Checker
from engine.app.workspace import Workspace
from engine.graph import Import
from tests.support.reload.definitions import BASE, files_of, load, table


def test_checker_forgets_definitions_of_deleted_files() -> None:
    with Checker(Workspace.open(Path()), remembers=True) as checker:
        for number in range(_WORN + 5):
            fresh = f"x_{number}"
            sql = f"SELECT id, email FROM customers WHERE balance <> {number}"
            texts = {
                **BASE,
                f"interfaces/{fresh}.yaml": load(fresh, sql=sql),
                f"schemas/{fresh}.yaml": table(fresh, f"  more_{number}: text\n"),
            }
            checked = checker.check(files_of(texts))
            assert not checked.has_errors
            (box,) = (step for step in checked.graph.steps if isinstance(step, Import) and step.interface == fresh)
            assert f"balance <> {number}" in box.box.sql
        memory = checker._memory
        assert memory is not None
        assert memory.read.known.keys() == texts.keys()
        assert memory.specs.known.keys() <= texts.keys()
        assert len(memory.bound._boxes) < 20
        assert memory.bound.binder is checker._duck


def test_checker_with_a_renewed_binder_reports_the_same_findings() -> None:
    workspace = Workspace.open(Path())
    with Checker(workspace, remembers=True) as checker, Checker(workspace) as cold:
        files = files_of({**BASE, "interfaces/x.yaml": load("x", sql="SELECT idd FROM customers", into="b")})
        expected = cold.check(files)
        assert expected.has_errors
        for _ in range(_WORN + 1):
            found = checker.check(files)
        assert (found.graph, found.diagnostics) == (expected.graph, expected.diagnostics)
