"""Verdicts: what came of a case, and where that is not what was expected."""

from .compare import Found, compare
from .rows import compare_rows
from .types import Difference, Verdict

__all__ = ["Difference", "Found", "Verdict", "compare", "compare_rows"]
