"""Findings: one renderer per file."""
