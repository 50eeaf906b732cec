"""Bad projects and what their author is shown.

A folder in `cases/` is laid over `base/` (a small project without findings), checked, and rendered as text;
`expected.txt` in it holds the result. `make goldens` writes them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.app.checking.check import check_cases, check_project
from engine.app.workspace import Workspace
from engine.diagnostics import CODES
from engine.report import render_findings
from tests.support.generated import GENERATED

HERE = Path(__file__).parent
CASES = sorted(path.name for path in (HERE / "cases").iterdir())
COVERED_STAGES = ("E1", "E2", "E3", "E4", "W1", "W2", "W3", "W4")
"""Stages whose every code must appear in a case."""


def laid_out(name: str, root: Path) -> Path:
    """The project of a case, as files below `root`."""
    project = root / "project"
    shutil.copytree(HERE / "base", project)
    shutil.copytree(HERE / "cases" / name, project, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expected.txt"))
    if name in GENERATED:
        GENERATED[name](project)
    return project


@pytest.mark.parametrize("name", CASES)
def test_a_bad_project_is_shown_to_its_author(name: str, tmp_path: Path, golden: Callable[[Path, str], None]) -> None:
    workspace = Workspace.open(laid_out(name, tmp_path))
    checked = check_cases(workspace, check_project(workspace))
    shown = render_findings("text", checked.diagnostics, checked.tree, version="0")
    golden(HERE / "cases" / name / "expected.txt", shown)
    assert checked.diagnostics


def test_the_base_has_no_findings(tmp_path: Path) -> None:
    shutil.copytree(HERE / "base", tmp_path / "project")
    assert check_project(Workspace.open(tmp_path / "project")).diagnostics == ()


def test_every_code_appears_in_a_case() -> None:
    shown = "".join((HERE / "cases" / name / "expected.txt").read_text(encoding="utf-8") for name in CASES)
    appearing = set(re.findall(r"^(?:error|warning|note)\[([A-Z]\d+)\]", shown, re.MULTILINE))
    wanted = {code for code in CODES if code.startswith(COVERED_STAGES)}
    assert wanted - appearing == set()


def test_no_case_is_generated_for_nothing() -> None:
    assert set(GENERATED) <= set(CASES)


def test_no_secret_is_shown() -> None:
    for name in CASES:
        shown = (HERE / "cases" / name / "expected.txt").read_text(encoding="utf-8")
        assert "0123456789abcdef" not in shown
        assert "hunter2" not in shown
