"""What documents name exists: links, paths, verbs, exit codes, words of `weir.*` relations, decisions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from engine.app.errors import Exit
from engine.cli.group import VERBS
from engine.connector.mirror_tables import MIRROR_TABLES
from engine.connectors.stripe.catalogue import SyncClass
from engine.duck.system_columns import SYSTEM_COLUMNS
from engine.run.ports.ledger import OpState

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
PATH = re.compile(r"(?<![\w./-])(?:engine|tools|tests|benchmarks|docs)(?:/[\w.*-]+)+/?")
MODULE = re.compile(r"(?<![\w./-])(?:engine|tools|benchmarks)(?!\.md\b)(?:\.[a-z_]+)+(?![\w(])")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def links(page: Path) -> list[str]:
    """The targets of the page's links to files, outside of code."""
    text = re.sub(r"`[^`\n]*`", "``", FENCE.sub("", page.read_text(encoding="utf-8")))
    return [target for target in LINK.findall(text) if "://" not in target]


def anchors(page: Path) -> set[str]:
    """The names of the page's headings and explicit anchors, as GitHub makes them."""
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)"', text))


def missing_links(page: Path) -> list[str]:
    """Those that lead nowhere."""
    found = []
    for target in links(page):
        name, _, anchor = target.partition("#")
        place = (page.parent / name).resolve() if name else page
        if not place.exists() or (anchor and place.suffix == ".md" and anchor not in anchors(place)):
            found.append(target)
    return found


def missing_paths(text: str) -> list[str]:
    """Paths and modules of the repository that the text names and that do not exist."""
    paths = {path.rstrip("/.") for path in PATH.findall(text)}
    modules = {module: f"{module.replace('.', '/')}" for module in MODULE.findall(text)}
    absent = [path for path in paths if not any(ROOT.glob(path))]
    absent += [module for module, path in modules.items() if not _is_module(path)]
    return sorted(absent)


def _is_module(path: str) -> bool:
    """A module, a package, or a name in one."""
    return any((ROOT / each).exists() for each in (f"{path}.py", path, f"{path.rpartition('/')[0]}.py")) or (
        (ROOT / path.rpartition("/")[0] / "__init__.py").exists()
        and path.rpartition("/")[2] in (ROOT / path.rpartition("/")[0] / "__init__.py").read_text(encoding="utf-8")
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    assert missing_links(ROOT / name) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_path_exists(name: str) -> None:
    assert missing_paths((ROOT / name).read_text(encoding="utf-8")) == []


def test_a_path_that_does_not_exist_is_found() -> None:
    text = "`engine/web/sandbox`, `tests/mirror/clock.py`, `engine.web`; `engine/sandbox`, `engine.review.risks`"
    assert missing_paths(text) == ["engine.web", "engine/web/sandbox", "tests/mirror/clock.py"]


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen and page.suffix == ".md":
            seen.add(page)
            waiting += [
                (page.parent / target.partition("#")[0]).resolve() for target in links(page) if target[0] != "#"
            ]
    assert {str(page.relative_to(ROOT)) for page in set(PAGES) - seen} == set()


def test_the_readme_lists_the_verbs_and_exit_codes_of_the_program() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    table = text.split("\n## Verbs\n")[1].split("\n\nExit codes")[0]
    assert set(re.findall(r"`([a-z-]+)`", table)) == set(VERBS)
    codes = re.search(r"Exit codes: (.*?)\.\n", text, re.DOTALL)
    assert codes
    assert [int(code) for code in re.findall(r"(?:^|· |\n)(\d+) ", codes[1])] == [code.value for code in Exit]
    assert len(text.splitlines()) <= 150


def test_decisions_are_listed_in_order_with_their_titles() -> None:
    index = re.findall(r"^- (\d+) · \[(.+)\]\((.+)\)$", (DOCS / "adr/README.md").read_text(encoding="utf-8"), re.M)
    pages = sorted(page for page in (DOCS / "adr").glob("[0-9]*.md"))
    listed = [(int(number), title, name) for number, title, name in index]
    assert listed == [
        (int(page.name[:4]), page.read_text(encoding="utf-8").splitlines()[0].partition(". ")[2], page.name)
        for page in pages
    ]


@pytest.mark.parametrize("page", sorted((DOCS / "adr").glob("[0-9]*.md")), ids=lambda page: page.stem)
def test_a_decision_has_context_decision_and_consequences(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert text.startswith(f"# {int(page.name[:4])}. ")


def test_the_glossary_has_every_word_of_the_mirror() -> None:
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    for name, relation in MIRROR_TABLES.items():
        (row,) = re.findall(rf"^\| `weir\.{name}` \|.*$", text, re.MULTILINE)
        assert [column.name for column in relation if f"`{column.name}`" not in row] == [], name
    assert [column for column in SYSTEM_COLUMNS if f"`{column}`" not in text] == []
    assert [state for state in OpState if not re.search(rf"^\| [\w, ]*\b{state}\b", text, re.MULTILINE)] == []
    assert [each for each in SyncClass if each not in text] == []


def test_the_architecture_page_names_every_place_of_the_state() -> None:
    from engine.app.state import StatePaths

    paths = StatePaths(Path(".weir"))
    places = [getattr(paths, name) for name, kind in vars(StatePaths).items() if isinstance(kind, property)]
    table = (DOCS / "architecture.md").read_text(encoding="utf-8").split("\n## Files that Weir writes\n")[1]
    assert len(places) > 7
    assert [str(place) for place in [*places, Path(".weir/staging")] if f"`{place}" not in table] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_and_variable_exists(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    code = "\n".join([*FENCE.findall(text), *re.findall(r"`[^`\n]+`", text)])
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert sorted(set(re.findall(r"(?:`|\$ |&& )make ([a-z-]+)", code)) - targets) == []
    source = "".join(
        file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("*.py") if file != Path(__file__)
    )
    assert [each for each in set(re.findall(r"\bWEIR_[A-Z_]+", code)) if each not in source] == []
