"""Codes E4xx: compiling steps and SQL boxes."""

from .code import Code

CODES: tuple[Code, ...] = ()
