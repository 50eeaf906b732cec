"""Extraction: Stripe's pages, checked, into spool files."""

from .stage import extract_partition

__all__ = ["extract_partition"]
