"""Lists, filters, searches and the truth about a world."""

from __future__ import annotations

from .reads import Reader
from .truth import tell

__all__ = ["Reader", "tell"]
