"""Applying the fixes that findings offer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from engine.diagnostics import Diagnostic
from engine.source import SourceTree


def apply_fixes(diagnostics: Iterable[Diagnostic], tree: SourceTree) -> Mapping[str, str]:
    """The new texts of the files that change, by path. Only findings with exactly one fix are mended; of edits that
    overlap, the first in the file wins and the others wait for the next round."""
    edits: dict[str, list[tuple[int, int, str]]] = {}
    for diagnostic in diagnostics:
        if len(diagnostic.fixes) != 1:
            continue
        fix = diagnostic.fixes[0]
        text = tree.text_of(fix.place.file)
        if text is None:
            continue
        edits.setdefault(fix.place.file, []).append((*tree.span(fix.place), fix.replacement))
    changed: dict[str, str] = {}
    for file, listed in edits.items():
        changed[file] = _edited(tree.text_of(file) or "", listed)
    return changed


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    parts: list[str] = []
    done = 0
    for start, end, replacement in sorted(dict.fromkeys(edits)):
        if start < done:
            continue
        parts += [text[done:start], replacement]
        done = end
    return "".join([*parts, text[done:]])
