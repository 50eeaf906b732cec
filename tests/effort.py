"""How hard property tests try: the same bounded examples each time, or many new ones with WEIR_TEST_LONG=N."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("WEIR_TEST_LONG") or 0)


def examples(usual: int) -> int:
    """How many examples a test makes: `usual`, or that many times `make test-long TIMES=…`."""
    return usual * max(TIMES, 1)
