"""The reference of templates lists exactly the existing filters and limits."""

from __future__ import annotations

import re
from pathlib import Path

from engine.graph.template.environment import MOST_ITERATIONS, template_environment

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "templates.md"


def test_documented_filters_are_the_existing_ones() -> None:
    section = REFERENCE.read_text(encoding="utf-8").split("## Filters")[1].split("## Tags")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    documented = {name for cell in cells for name in re.findall(r"`(\w+)", cell)}
    assert documented == {name for name in template_environment().filters if not name.startswith("_")}


def test_template_limits_are_documented() -> None:
    assert f"at most {MOST_ITERATIONS:,}" in REFERENCE.read_text(encoding="utf-8")
