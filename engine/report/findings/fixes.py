"""Applies the fixes of findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.diagnostics import Diagnostic, Fix
from engine.source import SourceTree


def apply_fixes(diagnostics: Iterable[Diagnostic], tree: SourceTree) -> Mapping[str, str]:
    """The new texts of the files that change, by path. Only findings with exactly one fix are fixed; of overlapping
    edits, the first in the file is applied and the others are left for the next round."""
    edits: dict[str, list[tuple[int, int, str]]] = {}
    for diagnostic in diagnostics:
        if len(diagnostic.fixes) != 1:
            continue
        fix = diagnostic.fixes[0]
        text = tree.text_of(fix.place.file)
        if text is None:
            continue
        edits.setdefault(fix.place.file, []).append(edit_of(fix, tree))
    changed: dict[str, str] = {}
    for file, listed in edits.items():
        changed[file] = _edited(tree.text_of(file) or "", listed)
    return changed


def edit_of(fix: Fix, tree: SourceTree) -> tuple[int, int, str]:
    """The code points that a fix replaces, and the replacement."""
    start, end = tree.span(fix.place)
    text = tree.text_of(fix.place.file) or ""
    end = start + len(text[start:end].rstrip("\r\n"))  # a block includes its last line break: keep it
    after_colon = start == end and text[:start].endswith(":")  # a value after a key without one
    return start, end, " " + fix.replacement if after_colon else fix.replacement


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    done = 0
    for start, end, replacement in sorted(dict.fromkeys(edits)):
        if start < done:
            continue
        parts += [text[done:start], replacement]
        done = end
    return "".join([*parts, text[done:]])
