"""Collects the findings of a stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .codes import CODES, Severity
from .diagnostic import Diagnostic, Fix, Label
from .place import Place


class Collector:
    """An ordered set of findings: the same finding reported twice is kept once."""

    def __init__(self) -> None:
        self._found: dict[Diagnostic, None] = {}

    def report(
        self,
        code: str,
        message: str,
        place: Place | None = None,
        *,
        hint: str | None = None,
        labels: Iterable[Label] = (),
        fixes: Iterable[Fix] = (),
    ) -> Diagnostic:
        """Record one finding and return it. Raises KeyError for a code that is not in the table."""
        CODES[code]
        diagnostic = Diagnostic(code, message, place, tuple(labels), hint, tuple(fixes))
        self._found[diagnostic] = None
        return diagnostic

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Add findings of another collector or of a cache."""
        self._found.update(dict.fromkeys(diagnostics))

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def has_errors(self) -> bool:
        """True once anything of severity error was reported."""
        return any(CODES[found.code].severity is Severity.ERROR for found in self._found)
