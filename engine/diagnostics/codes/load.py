"""Codes E1xx: reading files."""

from .code import Code

CODES: tuple[Code, ...] = ()
