"""What is wrong, and where: the one shape in which every stage reports to its user."""

from __future__ import annotations

from dataclasses import dataclass

from .place import Place


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that explains the first one ("first defined here")."""

    place: Place
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that would fix the finding: put `replacement` where `place` points."""

    title: str
    place: Place
    replacement: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. Its severity belongs to its code (`codes.CODES[code]`).

    `message` is lower case, without a full stop, names in backticks, and never holds a value that could be a secret.
    `hint` is imperative: what to do next.
    """

    code: str
    message: str
    place: Place | None = None
    labels: tuple[Label, ...] = ()
    hint: str | None = None
    fixes: tuple[Fix, ...] = ()
