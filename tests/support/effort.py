"""How hard tests try: the same bounded examples each time, or all and many new ones with `make test-long`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

FIRST = int(os.environ.get("WEIR_TEST_FIRST") or 0)
"""The number of the first history that is made up; `make test-long` begins where no run before it did."""
TIMES = int(os.environ.get("WEIR_TEST_LONG") or 0)


def examples(usual: int) -> int:
    """How many examples a test makes: `usual`, or that many times `make test-long TIMES=…`."""
    return usual * max(TIMES, 1)


def a_third(cases: Iterable[Any], first: int = 0) -> list[Any]:
    """Parameters of a test: every third case from `first` on for each change, all of them for `make test-long`.

    A case that is a tuple gives one argument an element.
    """
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)), marks=[] if number % 3 == first else [pytest.mark.long]
        )
        for number, case in enumerate(cases)
    ]
