"""Durations, read and written."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spec.base import duration_text, seconds


@pytest.mark.parametrize(
    ("text", "shortest"), [("60s", "1m"), ("90m", "90m"), ("24h", "1d"), ("1500ms", "1500ms"), ("007d", "7d")]
)
def test_duration_text_uses_the_largest_exact_unit(text: str, shortest: str) -> None:
    assert duration_text(timedelta(seconds=seconds(text))) == shortest


@given(st.integers(1, 10**6), st.sampled_from(["ms", "s", "m", "h"]))
def test_duration_text_reads_back_as_the_duration(number: int, unit: str) -> None:
    length = timedelta(seconds=seconds(f"{number}{unit}"))
    assert timedelta(seconds=seconds(duration_text(length))) == length
