"""Reads: lists, filters, searches, and the ground truth of a world."""

from __future__ import annotations

from .reads import Reader
from .truth import ground_truth

__all__ = ["Reader", "ground_truth"]
