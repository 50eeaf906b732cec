"""Codes E3xx: linking definitions."""

from .code import Code

CODES: tuple[Code, ...] = ()
