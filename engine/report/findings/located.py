"""Findings with lines and columns, ready to render."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from engine.diagnostics import CODES, Diagnostic, Fix, Place, Severity, plural
from engine.source import Region, SourceTree

from ..masking import masked, masked_line
from .fixes import edit_of

_SECRETS = frozenset({"E206", "E207"})
"""Findings whose place is a secret: excerpts do not show it."""


@dataclass(frozen=True, slots=True)
class Located:
    """A diagnostic whose places are regions. Texts are masked. `region` is None for a finding without a file."""

    code: str
    title: str
    severity: Severity
    message: str
    region: Region | None
    labels: tuple[tuple[Region, str], ...]
    hint: str | None
    fixes: tuple[tuple[Fix, Region], ...]

    @property
    def where(self) -> str:
        """`file:line:column`, or an empty text."""
        return f"{self.region.file}:{self.region.start_line}:{self.region.start_column}" if self.region else ""


def locate_all(diagnostics: Iterable[Diagnostic], tree: SourceTree) -> list[Located]:
    """The findings in order of file, line and column; those without a file come last."""
    listed = list(diagnostics)
    hidden = [tree.locate(found.place) for found in listed if found.code in _SECRETS and found.place]
    return sorted((_located(diagnostic, tree, hidden) for diagnostic in listed), key=_order)


def _order(located: Located) -> tuple[bool, str, int, int, str, str]:
    region = located.region
    if region is None:
        return (True, "", 0, 0, located.code, located.message)
    return (False, region.file, region.start_line, region.start_column, located.code, located.message)


def _located(diagnostic: Diagnostic, tree: SourceTree, hidden: Sequence[Region]) -> Located:
    code = CODES[diagnostic.code]
    return Located(
        code=code.id,
        title=code.title,
        severity=code.severity,
        message=masked(diagnostic.message),
        region=_region(diagnostic.place, tree, hidden) if diagnostic.place else None,
        labels=tuple((_region(label.place, tree, hidden), masked(label.text)) for label in diagnostic.labels),
        hint=masked(diagnostic.hint) if diagnostic.hint else None,
        fixes=tuple(
            (replace(fix, title=masked(fix.title), replacement=edit_of(fix, tree)[2]), _region(fix.place, tree, hidden))
            for fix in diagnostic.fixes
            if masked(fix.replacement) == fix.replacement  # an edit with a secret is not shown
        ),
    )


def _region(place: Place, tree: SourceTree, hidden: Sequence[Region]) -> Region:
    region = tree.locate(place)
    lines = [
        masked_line(_without(line, region.file, region.start_line + index, hidden))
        for index, line in enumerate(region.lines)
    ]
    return replace(region, lines=tuple(lines))


def _without(line: str, file: str, number: int, hidden: Sequence[Region]) -> str:
    """The line with `*` in place of everything that a hidden region covers."""
    for region in hidden:
        if region.file == file and region.start_line <= number <= region.end_line:
            first = region.start_column - 1 if number == region.start_line else len(line) - len(line.lstrip())
            last = region.end_column - 1 if number == region.end_line else len(line)
            line = line[:first] + "*" * max(last - first, 0) + line[max(last, first) :]
    return line


def tally(found: Iterable[Located]) -> str:
    """A closing line such as "2 errors and 1 warning in 3 files"."""
    listed = list(found)
    parts = []
    for severity in Severity:
        count = sum(item.severity is severity for item in listed)
        if count:
            parts.append(plural(count, severity))
    if not parts:
        return "no findings"
    files = len({item.region.file for item in listed if item.region})
    where = f" in {plural(files, 'file')}" if files else ""
    return (", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]) + where
