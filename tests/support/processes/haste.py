"""Pauses between the tries of a request, made short: what is tried, and how often, stays as it is."""

from __future__ import annotations

import functools
from typing import Any, Final

from engine.connectors.stripe.client.retry import Retries

TIMES: Final = 50


def hasten() -> None:
    """Have this process wait a fiftieth of the time between two tries. Only ever used in a child of its own."""
    usual = Retries.pause

    @functools.wraps(usual)
    def pause(*arguments: Any) -> float | None:
        seconds = usual(*arguments)
        return None if seconds is None else seconds / TIMES

    Retries.pause = pause  # type: ignore[method-assign]
