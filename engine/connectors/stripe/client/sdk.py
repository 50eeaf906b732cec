"""Stripe's SDK, imported without the HTTP library that it would look for.

As it is imported it takes in `requests`, for a client of its own that is never made here (see `transport`): that would
be a third of the time that importing it takes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from threading import get_ident

UNUSED = "requests"


class _NotFound(MetaPathFinder):
    """Finds that the unused library is not there, in the thread that made it: others may import it meanwhile."""

    def __init__(self) -> None:
        self._thread = get_ident()

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:  # noqa: ARG002
        """See `MetaPathFinder`."""
        if fullname == UNUSED and get_ident() == self._thread:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


@contextmanager
def _without_unused() -> Iterator[None]:
    finder = _NotFound()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with _without_unused():
    import stripe
    from stripe import _util as stripe_logging

__all__ = ["stripe", "stripe_logging"]
