"""Names and literals in SQL text. Values go in as parameters wherever a statement takes them."""

from __future__ import annotations


def quote_name(name: str) -> str:
    """A SQL identifier for any name."""
    return '"' + name.replace('"', '""') + '"'


def quote_literal(text: str) -> str:
    """A SQL string literal for any text without NUL (file names and settings: statements that take no parameters)."""
    return "'" + text.replace("'", "''") + "'"
