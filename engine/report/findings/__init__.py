"""Findings, one renderer a file."""
