"""Compares the runs of test cases with their expectations."""

from .compare import Found, compare
from .rows import compare_rows
from .types import CaseResult, Difference

__all__ = ["CaseResult", "Difference", "Found", "compare", "compare_rows"]
