"""The words of this repository: each idea has one, and what is not used has a replacement.

Prose, messages, comments and names are read; in tests only names and docstrings, since their data may hold anything.
Underscores count as spaces, so `test_it_goes_on` is found. In Markdown, code is left to those who wrote it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
CLEAN = (
    "README.md",
    "CHANGELOG.md",
    "Makefile",
    "docs",
    "benchmarks",
    "engine/app/checking",
    "engine/cases",
    "engine/connectors/stripe",
    "engine/diagnostics",
    "engine/duck",
    "engine/graph",
    "engine/plan",
    "engine/project",
    "engine/relation",
    "engine/report",
    "engine/review",
    "engine/sandbox",
    "engine/source",
    "engine/spec",
    "engine/stores",
    "schemas",
    "tools",
    "tests/architecture",
    "tests/contract",
    "tests/golden",
    "tests/integration/duck",
    "tests/integration/exports",
    "tests/integration/extract",
    "tests/integration/reload",
    "tests/integration/run",
    "tests/integration/sandbox",
    "tests/integration/traps",
    "tests/integration/write",
    "tests/property",
    "tests/security",
    "tests/support",
    "tests/unit",
)
"""Files and folders that obey the list. Add every folder that becomes clean, up to `engine`, `tools` and `tests`."""

NOT_YET = (
    "docs/connectors.md",
    "docs/reference/api.md",
)
"""Parts of clean folders that are not clean yet."""

STORED = ("engine/sandbox/state/state_file.py",)
"""Files with names that are stored on disk: a new name would make the files of users unreadable."""

SUFFIXES = {".py", ".md", ".sql", ".tmpl", ".yaml", ".yml", ""}
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`\n]*`")


class Word(NamedTuple):
    """A pattern of what is not written, and what is."""

    pattern: str
    write: str


WORDS = (
    Word(r"mend(?:s|ed|ing)?", "fix, fixed"),
    Word(r"anew", "again"),
    Word(r"again and again", "repeatedly"),
    Word(r"doubled|doubles of", "duplicate"),
    Word(r"(?:do|does|did|done|doing) away with", "retire, delete"),
    Word(r"done away", "retired, deleted"),
    Word(r"(?:of which )?nobody knows|of which nobody|nobody has told", "with an unknown outcome, unknown"),
    Word(r"(?:became|become|becomes) of (?:it|a|an|the|each|every|them|writes?)", "outcome"),
    Word(r"what (?:must|has|had|will) (?:come|become) of|what (?:comes|came) of", "the output, the result"),
    Word(r"held back|hold(?:s|ing)? back|left back", "not activated, pending"),
    Word(r"left out|leav(?:e|es|ing) out", "skipped, not given"),
    Word(r"(?:go|goes|going|gone|went) on(?! (?:a|an|the|its|their|top|disk)\b)", "continue, resume"),
    Word(r"told", "reported, shown, given"),
    Word(r"says|tells?(?! (?:\w+ ){0,3}apart)", "shows, states, reports, prints"),
    Word(r"(?:is|are|was|were) said", "shown, stated, configured"),
    Word(r"moments?", "timestamp, time, point"),
    Word(r"instants?", "timestamp"),
    Word(r"put off", "delayed"),
    Word(r"is another one|are other ones", "changed, differs"),
    Word(r"moved API version|API version (?:moves|moved)|MovedBox", "upgraded API version, AffectedQuery"),
    Word(r"makes? live", "activate"),
    Word(r"no token that holds", "invalid, expired or revoked token"),
)
PATTERNS = [(re.compile(rf"\b(?:{word.pattern})\b", re.IGNORECASE), word.write) for word in WORDS]


def files(places: tuple[str, ...], without: tuple[str, ...] = ()) -> list[Path]:
    """The text files of these places, but this one, which has to name the words."""
    found: list[Path] = []
    for place in (ROOT / each for each in places):
        found += [place] if place.is_file() else [each for each in sorted(place.rglob("*")) if each.is_file()]
    left = [ROOT / each for each in without]
    return [
        file
        for file in found
        if file.suffix in SUFFIXES
        and file != Path(__file__)
        and not any(file == each or each in file.parents for each in left)
    ]


def lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of the file that are somebody's words, with their numbers; its path is line 0."""
    yield 0, re.sub(r"[/.-]", " ", str(file.relative_to(ROOT)))
    text = file.read_text(encoding="utf-8", errors="replace")
    if file.suffix == ".md":
        text = FENCE.sub(lambda match: "\n" * match[0].count("\n"), text)
        text = CODE.sub("", text)
    if file.suffix == ".py" and file.relative_to(ROOT).parts[0] == "tests":
        yield from names_and_docstrings(text)
    else:
        yield from enumerate(text.splitlines(), 1)


def names_and_docstrings(text: str) -> Iterator[tuple[int, str]]:
    """The names of functions and classes in Python source, and the lines of all docstrings."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.lineno, node.name
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Module) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and ast.get_docstring(node):
                yield from enumerate(str(first.value.value).splitlines(), first.lineno)


def unwanted(file: Path) -> list[str]:
    """Each word of the list that the file holds: where, and what to write instead."""
    found = []
    for number, line in lines(file):
        words = line.replace("_", " ")
        for pattern, write in PATTERNS:
            found += [
                f"{file.relative_to(ROOT)}:{number}: `{match[0]}`: write: {write}" for match in pattern.finditer(words)
            ]
    return found


@pytest.mark.parametrize("place", CLEAN)
def test_only_words_of_the_field_are_used(place: str) -> None:
    read = files((place,), (*NOT_YET, *STORED))
    assert read
    assert [each for file in read for each in unwanted(file)] == []


@pytest.mark.parametrize(
    "text",
    [
        "mend what is listed above", "it is read anew", "a doubled key", "done away with", "of which nobody knows what",
        "held back", "rows that are left out", "a run goes on", "the user is told", "test_what_it_says",
        "at that moment", "an instant", "what became of a write", "MovedBox", "a start is put off",
    ],
)  # fmt: skip
def test_a_word_that_is_not_used_is_found(text: str) -> None:
    assert any(pattern.search(text.replace("_", " ")) for pattern, _ in PATTERNS)


@pytest.mark.parametrize(
    "text",
    [
        "amendment", "a recommended key", "it goes on the stack", "to tell two rows apart", "double quotes",
        "momentary", "instantiate", "the input is left as it is", "become live", "hold the lock", "instance",
    ],
)  # fmt: skip
def test_a_word_that_only_looks_like_one_is_not(text: str) -> None:
    assert not any(pattern.search(text) for pattern, _ in PATTERNS)


def test_data_in_tests_is_not_read() -> None:
    assert list(names_and_docstrings('def test_x():\n    """One line."""\n    told = "anew"\n')) == [
        (1, "test_x"), (2, "One line."),
    ]  # fmt: skip
