"""Colours for terminals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BOLD: Final = "1"
DIM: Final = "2"
RED: Final = "1;31"
GREEN: Final = "32"
YELLOW: Final = "33"
BLUE: Final = "1;34"
CYAN: Final = "36"


@dataclass(frozen=True, slots=True)
class Paint:
    """Wraps text in ANSI colours when `colour` is set."""

    colour: bool

    def __call__(self, style: str, text: str) -> str:
        return f"\x1b[{style}m{text}\x1b[0m" if self.colour and text else text
