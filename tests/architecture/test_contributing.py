"""`docs/contributing.md` names places that exist and hold what the page names, for everything that a newcomer adds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIRED = ("a finding", "a connector", "a renderer", "a step kind", "a CLI verb", "a sandbox endpoint")
PATH = re.compile(r"(?:\.?[\w-]+/)+[\w.-]*")
ROW = re.compile(r"^\| (?P<what>[^|]+) \| (?P<where>.+) \|$", re.MULTILINE)


def rows(page: str) -> dict[str, str]:
    """The table under `Where to add something`: what is added, and the line with its place."""
    section = page.split("\n## Where to add something\n")[1].split("\n## ")[0]
    found = {each["what"]: each["where"] for each in ROW.finditer(section)}
    return {what: where for what, where in found.items() if what not in ("to add", "---")}


def steps(line: str) -> Iterator[tuple[str, list[str]]]:
    """Each path of the line with the names that directly follow it."""
    for match in re.finditer(r"`([^`]+)`((?: `[A-Za-z_]+`)*)", line):
        if PATH.fullmatch(match[1]):
            yield match[1], re.findall(r"`([A-Za-z_]+)`", match[2])


def defines(text: str, name: str) -> bool:
    """Whether Python source defines the name: a function, a class or an assigned name, at any depth."""
    return bool(re.search(rf"^\s*(?:async def|def|class) {name}\b|^{name}\b(?:: [^=]+)? = ", text, re.MULTILINE))


ROWS = rows((ROOT / "docs/contributing.md").read_text(encoding="utf-8"))


def test_the_page_answers_what_a_newcomer_asks() -> None:
    assert set(REQUIRED) <= set(ROWS)


@pytest.mark.parametrize("what", sorted(ROWS))
def test_each_line_leads_to_its_place(what: str) -> None:
    followed = list(steps(ROWS[what]))
    assert followed, f"no path in: {ROWS[what]}"
    for path, names in followed:
        assert (ROOT / path).exists(), f"{what}: `{path}` does not exist"
        for name in names:
            text = (ROOT / path).read_text(encoding="utf-8")
            assert defines(text, name), f"{what}: `{path}` does not define `{name}`"


@pytest.mark.parametrize("what", REQUIRED)
def test_a_line_of_a_common_change_names_a_registry(what: str) -> None:
    assert any(names for _, names in steps(ROWS[what]))


def test_every_verb_has_its_module_with_a_command() -> None:
    from engine.cli.group import VERBS

    for verb in VERBS:
        module = ROOT / "engine/cli/verbs" / f"{verb.replace('-', '_')}.py"
        assert re.search(r"^def command\(", module.read_text(encoding="utf-8"), re.MULTILINE), verb


def test_every_stage_of_codes_has_the_table_that_the_page_names() -> None:
    for module in (ROOT / "engine/diagnostics/codes").glob("*.py"):
        if module.stem != "code":
            assert defines(module.read_text(encoding="utf-8"), "CODES"), module.name


def test_a_stale_place_would_be_found() -> None:
    line = "a line in `engine/cli/group.py` `SECTIONS` `NO_SUCH_NAME`, and `engine/cli/no_such_folder`"
    found = dict(steps(line))
    assert found == {"engine/cli/group.py": ["SECTIONS", "NO_SUCH_NAME"], "engine/cli/no_such_folder": []}
    text = (ROOT / "engine/cli/group.py").read_text(encoding="utf-8")
    assert defines(text, "SECTIONS")
    assert not defines(text, "NO_SUCH_NAME")
