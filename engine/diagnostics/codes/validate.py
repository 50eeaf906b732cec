"""Codes E2xx: checking one definition."""

from .code import Code

CODES: tuple[Code, ...] = ()
