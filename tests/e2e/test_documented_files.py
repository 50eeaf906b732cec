"""The picture in the README is a real session, and every file of a state folder is in `docs/architecture.md`."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

from tools.docs.session import PICTURE, picture

ROOT = Path(__file__).parents[2]


def documented() -> list[str]:
    """The places in the table of files, as patterns below the state folder."""
    table = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").split("\n## Files that Weir writes\n")[1]
    cells = " ".join(row.split("|")[1] for row in table.splitlines() if row.startswith("| `"))
    places = [re.sub(r"<[^>]+>", "*", each.removeprefix(".weir/")) for each in re.findall(r"`([^`]+)`", cells)]
    return [f"{place}*" if place.endswith("/") else place for place in places]


def test_a_session_prints_the_picture_and_writes_documented_files(tmp_path: Path) -> None:
    assert picture(tmp_path) == PICTURE.read_text(encoding="utf-8"), "python -m tools.docs.session draws it again"
    state = tmp_path / "shop" / ".weir"
    written = {str(path.relative_to(state)) for path in state.rglob("*") if path.is_file()}
    patterns = documented()
    assert {"state.db", "store.duckdb", "staging/stripe_main.duckdb", "sandbox/world.db"} <= written
    unknown = {
        name for name in written if not any(fnmatch(name, each) or fnmatch(name, f"*/{each}") for each in patterns)
    }
    assert unknown == set()
