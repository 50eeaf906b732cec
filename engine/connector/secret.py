"""Secrets: references in definitions, values only in memory and never in any output."""

from __future__ import annotations

from typing import Any, NoReturn


class Secret:
    """A secret's value. It refuses to be printed, formatted, compared, pickled or put into JSON.

    The one way to the text is `reveal()`, called where the request is signed.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret's text. Never store, log or raise with it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> NoReturn:
        raise TypeError("a secret is not text: call reveal() where the request is signed")

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("a secret cannot be formatted")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("a secret cannot be compared")

    __hash__ = None  # type: ignore[assignment]
