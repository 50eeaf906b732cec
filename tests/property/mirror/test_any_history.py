"""After any history and any crash, a synchronized mirror has the contents of the shop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.effort import FIRST, TIMES, examples
from tests.support.histories.histories import Histories
from tests.support.histories.made_up import MadeUp
from tests.support.mirror.shop import ServedShops

CHOSEN = (0, 2, 3, 4, 6, 7, 8, 10, 11)
"""Histories with many changes that events report; errors planted in the sync were found by them."""
NUMBERS = range(FIRST, FIRST + examples(100)) if TIMES or FIRST else CHOSEN


@pytest.fixture(scope="module")
def served() -> Iterator[ServedShops]:
    shops = ServedShops()
    yield shops
    shops.close()


@pytest.mark.parametrize("number", NUMBERS)
def test_mirror_matches_the_shop_after_a_dense_history(served: ServedShops, number: int) -> None:
    Histories.served = served
    machine, history = Histories(), MadeUp(number, steps=6)
    try:
        history.play(machine)
        machine.end()
    except BaseException:
        print(*history.played, sep="\n")  # With the number that replays it.
        raise
    finally:
        machine.leave()


def test_mirror_matches_the_shop_after_any_history(served: ServedShops) -> None:
    """Hypothesis searches for other histories and shrinks those that fail."""
    Histories.served = served
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    effort = settings(max_examples=examples(4), stateful_step_count=8, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Histories, settings=effort)
