"""Templates that do not render."""

from __future__ import annotations


class TemplateFailedError(Exception):
    """A template that does not render. `span` is in code points of the template, None when it is not known.

    `name` is set when it is a name that does not exist. `code` is the diagnostic's.
    """

    def __init__(self, message: str, span: tuple[int, int] | None, name: str | None = None, code: str = "E409") -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.name = name
        self.code = code
