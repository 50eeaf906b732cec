"""Changes of a project and what their reviewer is shown.

A folder in `reviews/` has `before` and `after`, laid over `base/` one after the other; `gone.txt` names files that are
taken away then. `expected.md` holds the review. `make goldens` writes them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.app.reviewing.review import review_project
from engine.app.workspace import Workspace
from engine.report.reviews.review_markdown import render_review_markdown
from engine.report.reviews.review_text import render_review_text
from tests.support.repository import Repository

HERE = Path(__file__).parent
CASES = sorted(path.name for path in (HERE / "reviews").iterdir())


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_shown_to_its_reviewer(name: str, tmp_path: Path, golden: Callable[[Path, str], None]) -> None:
    case, project = HERE / "reviews" / name, tmp_path / "project"
    shutil.copytree(HERE / "base", project)
    lay(case / "before", project)
    repository = Repository(project)
    repository.commit("before")
    lay(case / "after", project)
    if (case / "gone.txt").exists():
        for file in (case / "gone.txt").read_text().split():
            (project / file).unlink()
    _, review = review_project(Workspace.open(project), "HEAD")
    shown = re.sub(r"[0-9a-f]{12}", "0" * 12, render_review_markdown(review))
    golden(case / "expected.md", shown)
    plain = render_review_text(review)
    for change in review.changes:
        assert change.name in plain
        assert all(edit.field in plain for edit in change.edits if change.action != "removed")


def lay(folder: Path, project: Path) -> None:
    """Put the files of a folder over those of the project."""
    if folder.exists():
        shutil.copytree(folder, project, dirs_exist_ok=True)
