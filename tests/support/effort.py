"""How hard property tests try: the same bounded examples each time, or many new ones with WEIR_TEST_LONG=N."""

from __future__ import annotations

import os

FIRST = int(os.environ.get("WEIR_TEST_FIRST") or 0)
"""The number of the first history that is made up; `make test-long` begins where no run before it did."""
TIMES = int(os.environ.get("WEIR_TEST_LONG") or 0)


def examples(usual: int) -> int:
    """How many examples a test makes: `usual`, or that many times `make test-long TIMES=…`."""
    return usual * max(TIMES, 1)
