"""Verbs that stop because the definitions are wrong show the findings first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from engine.app.checking.check import DefinitionsError

from .findings import warn
from .session import Session


@contextmanager
def findings_shown(session: Session) -> Iterator[None]:
    """Show the findings on stderr before a `DefinitionsError` goes on its way."""
    try:
        yield
    except DefinitionsError as error:
        warn(error.checked, session)
        raise
