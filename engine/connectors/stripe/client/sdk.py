"""Stripe's SDK, imported without the HTTP library that it would look for.

On import it loads `requests` for a client of its own, which is never created here (see `transport`); that is a good
part of its import time. Code that does create such a client gets the same one, later.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from threading import get_ident
from typing import Any, cast

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
    from stripe import _http_client
    from stripe import _util as stripe_logging


def _chosen_when_needed(*arguments: Any, **options: Any) -> stripe.HTTPClient:
    """A client of the SDK's own for whoever else uses the SDK in this process, of the kind that it prefers."""
    return cast("stripe.HTTPClient", _http_client._resolve_sync_client()(*arguments, **options))  # type: ignore[no-untyped-call]


_http_client._default_sync_client = _chosen_when_needed

__all__ = ["stripe", "stripe_logging"]
