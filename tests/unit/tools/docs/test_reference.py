"""The reference pages are fresh, complete, and their links lead somewhere."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from engine.diagnostics import CODES
from tools.docs.reference import reference_files

PAGES = Path(__file__).parents[4] / "docs/reference"


@pytest.mark.parametrize("name", ["language.md", "boxes.md", "diagnostics.md"])
def test_the_reference_is_fresh(name: str) -> None:
    text = reference_files()[name]
    if os.environ.get("WEIR_UPDATE_GOLDEN"):
        (PAGES / name).write_text(text, encoding="utf-8")
    assert (PAGES / name).read_text(encoding="utf-8") == text, (
        "WEIR_UPDATE_GOLDEN=1 pytest tests/unit/tools/docs/test_reference.py writes it anew"
    )


def test_links_of_the_language_page_lead_to_headings() -> None:
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
