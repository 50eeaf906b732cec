"""Refused plans and their messages.

A folder in `plans/` is laid over `base/`; `names.txt` in it holds the interfaces that are to be planned, `expected.txt`
the message. `make goldens` writes them.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.app.errors import RefusalError
from engine.app.running.plan import make_plan
from engine.app.workspace import Workspace
from engine.diagnostics import CODES

HERE = Path(__file__).parent
CASES = sorted(path.name for path in (HERE / "plans").iterdir())


@pytest.mark.parametrize("name", CASES)
def test_a_refused_plan_shows_the_reason(name: str, tmp_path: Path, golden: Callable[[Path, str], None]) -> None:
    project = tmp_path / "project"
    shutil.copytree(HERE / "base", project)
    shutil.copytree(HERE / "plans" / name, project, dirs_exist_ok=True)
    names = (project / "names.txt").read_text().split()
    with pytest.raises(RefusalError) as raised:
        make_plan(Workspace.open(project), names, {})
    shown = f"{raised.value.message}\n{raised.value.hint}\nexit {raised.value.code.value}\n"
    golden(HERE / "plans" / name / "expected.txt", shown)


def test_every_code_of_planning_appears() -> None:
    shown = "".join((HERE / "plans" / name / "expected.txt").read_text(encoding="utf-8") for name in CASES)
    assert set(re.findall(r"\(([EW]5\d\d)\)", shown)) == {code for code in CODES if code[1] == "5"}
