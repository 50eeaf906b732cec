"""Refusals: why a verb cannot do what was asked, with the exit code and what to do next."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """What the command's exit code says."""

    OK = 0
    FAILED = 1  # a run failed
    DEFINITIONS = 2  # the definitions are wrong
    ENVIRONMENT = 3  # provider unreachable, key refused, secret missing
    CHANGES = 4  # there are changes (with --detailed-exitcode), or a mirror differs
    BUSY = 5  # stale plan or busy lock
    APPROVAL = 6  # a read budget or a policy wants an approval
    TESTS = 7  # tests failed
    USAGE = 64
    INTERRUPTED = 130


class RefusalError(Exception):
    """A verb stops here. `message` and `hint` are for people and hold no secret."""

    def __init__(self, code: Exit, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


class RunsElsewhereError(RefusalError):
    """An interface runs already, in this process or another one: its lease is taken. Nothing was done."""
