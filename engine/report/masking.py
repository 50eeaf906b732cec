"""What reports never show: secrets, even in an excerpt of the user's own file, and characters that move a cursor."""

from __future__ import annotations

import unicodedata

from engine.connector import names_secret
from engine.connector.installed import secret_policy


def masked(text: str) -> str:
    """`text` with `*` for each character of a secret behind its prefix: columns stay where they are."""
    return secret_policy().mask(text)


def masked_line(line: str) -> str:
    """A line of a definition: also what stands behind a key such as `client_secret:` or `password:` is hidden."""
    return secret_policy().mask_line(line)


def masked_parameter(path: str, text: str) -> str:
    """The value of a parameter of a write, such as `card[token]`: hidden where its last name says that it is secret."""
    last = path.rstrip("]").rpartition("[")[2]
    return "*" * len(text) if names_secret(last) else masked(text)


def visible(text: str) -> str:
    """Control characters as dots: what a row or a provider sends moves no cursor."""
    return "".join("·" if unicodedata.category(letter) == "Cc" else letter for letter in text)
