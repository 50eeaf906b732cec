"""Masks secrets in reports, also in excerpts of the user's files, and replaces control characters."""

from __future__ import annotations

import unicodedata

from engine.connector import names_secret
from engine.connector.installed import secret_policy


def masked(text: str) -> str:
    """`text` with `*` for each character of a secret after its prefix, which keeps columns aligned."""
    return secret_policy().mask(text)


def masked_line(line: str) -> str:
    """A line of a definition, which also hides the value of a key such as `client_secret:` or `password:`."""
    return secret_policy().mask_line(line)


def masked_parameter(path: str, text: str) -> str:
    """The value of a write's parameter, hidden if its last name marks it as secret, as in `card[token]`."""
    last = path.rstrip("]").rpartition("[")[2]
    return "*" * len(text) if names_secret(last) else masked(text)


def visible(text: str) -> str:
    """Control characters as dots, so that data from rows or providers cannot move the cursor."""
    return "".join("·" if unicodedata.category(letter) == "Cc" else letter for letter in text)
