"""Codes E6xx: running."""

from .code import Code

CODES: tuple[Code, ...] = ()
