"""The effort of tests: a fixed number of examples, or all cases and many new examples with `make test-long`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import pytest

FIRST = int(os.environ.get("WEIR_TEST_FIRST") or 0)
"""The number of the first generated history; each `make test-long` starts at a new number."""
TIMES = int(os.environ.get("WEIR_TEST_LONG") or 0)


def examples(usual: int) -> int:
    """The number of examples of a test: `usual`, multiplied by `make test-long TIMES=…`."""
    return usual * max(TIMES, 1)


def a_third(cases: Iterable[Any], first: int = 0) -> list[Any]:
    """Parameters of a test: every third case from `first` on for each change, all of them for `make test-long`.

    Each element of a case that is a tuple is one argument.
    """
    return [
        pytest.param(
            *(case if isinstance(case, tuple) else (case,)), marks=[] if number % 3 == first else [pytest.mark.long]
        )
        for number, case in enumerate(cases)
    ]
