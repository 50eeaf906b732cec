"""The generated reference pages are fresh and complete, and their links resolve."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.diagnostics import CODES
from tools.docs.__main__ import REFERENCE, write_pages
from tools.docs.reference import reference_files


@pytest.mark.parametrize("name", sorted(reference_files()))
def test_a_committed_page_is_fresh(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == reference_files()[name], "stale: run `make generated`"


def test_write_pages_writes_the_missing_and_stale_pages_only(tmp_path: Path) -> None:
    assert {path.name for path in write_pages(tmp_path)} == set(reference_files())
    (tmp_path / "language.md").write_text("stale")
    (tmp_path / "api.md").unlink()
    assert {path.name for path in write_pages(tmp_path)} == {"language.md", "api.md"}
    assert {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()} == reference_files()
    assert write_pages(tmp_path) == ()


def test_links_of_the_language_page_resolve_to_headings() -> None:
    page = reference_files()["language.md"]
    headings = {
        heading.lower().replace(": ", "-").replace(" ", "-") for heading in re.findall(r"^#+ (.*)$", page, re.M)
    }
    links = set(re.findall(r"\(#([a-z-]+)\)", page))
    assert len(links) > 10
    assert links <= headings


def test_every_code_has_a_page_with_a_way_out() -> None:
    page = reference_files()["diagnostics.md"]
    for code in CODES.values():
        assert f'<a id="{code.id.lower()}"></a>' in page
        assert len(code.page.strip()) > 80, code.id
        assert code.title == code.title.strip(". "), code.id
