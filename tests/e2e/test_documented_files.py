"""The picture in the README is a real session, and every file of a state folder is in `docs/architecture.md`."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.support.processes.command import weir
from tools.docs.session import PICTURE, picture

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_picture_in_the_readme_is_what_the_program_prints() -> None:
    assert picture() == PICTURE.read_text(encoding="utf-8"), "python -m tools.docs.session draws it again"


def documented() -> list[str]:
    """The places in the table of files, as patterns below the state folder."""
    table = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("\n## Files that Weir writes\n")[1]
    cells = " ".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| `"))
    places = re.findall(r"`([^`]+)`", cells)
    return [re.sub(r"<[^>]+>", "*", place.removeprefix(".weir/")) for place in places]


@pytest.mark.slow
def test_every_file_of_a_state_folder_is_documented(tmp_path: Path) -> None:
    weir(tmp_path, "init", "shop").succeeded()
    project = tmp_path / "shop"
    weir(project, "run").succeeded()
    weir(project, "token", "new", "ci", "--scope", "read").succeeded()
    state = project / ".weir"
    written = {str(path.relative_to(state)) for path in state.rglob("*") if path.is_file()}
    patterns = [f"{place}*" if place.endswith("/") else place for place in documented()]
    assert {"state.db", "store.duckdb", "staging/stripe_main.duckdb", "sandbox/world.db", "audit.jsonl"} <= written
    unknown = {
        name for name in written if not any(fnmatch(name, each) or fnmatch(name, f"*/{each}") for each in patterns)
    }
    assert unknown == set()
