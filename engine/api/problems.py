"""Errors as `application/problem+json`: a code that stays, a sentence, and what to do."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from engine.app.errors import Exit, RefusalError

PROBLEM_TYPE: Final = "application/problem+json"


class ProblemError(Exception):
    """The request is not done. `headers` go with the answer."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        hint: str | None = None,
        headers: dict[str, str] | None = None,
        run: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
        self.headers = headers or {}
        self.run = run

    def body(self, request_id: str) -> dict[str, object]:
        """The document."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "hint": self.hint,
            "request_id": request_id,
            "run": self.run,
        }


_KINDS: Final = {
    Exit.USAGE: (422, "invalid"),
    Exit.DEFINITIONS: (503, "definitions"),
    Exit.BUSY: (409, "busy"),
    Exit.APPROVAL: (409, "approval"),
    Exit.ENVIRONMENT: (502, "environment"),
}


def of_refusal(error: RefusalError, run: str | None = None) -> ProblemError:
    """What a refusal of the engine means to a caller."""
    status, code = _KINDS.get(error.code, (500, "failed"))
    return ProblemError(status, code, error.message, error.hint, run=run)


def not_found(what: str, hint: str | None = None) -> ProblemError:
    """There is no such thing."""
    return ProblemError(404, "not_found", what, hint)
