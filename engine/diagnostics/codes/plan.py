"""Codes E5xx: planning."""

from .code import Code

CODES: tuple[Code, ...] = ()
