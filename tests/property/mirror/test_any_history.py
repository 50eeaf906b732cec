"""After any history and any crash, a mirror that is brought up to date holds what the shop holds."""

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
"""Histories in which much is followed by events; mistakes put into the sync were noticed by them."""
NUMBERS = range(FIRST, FIRST + examples(100)) if TIMES or FIRST else CHOSEN


@pytest.fixture(scope="module")
def served() -> Iterator[ServedShops]:
    shops = ServedShops()
    yield shops
    shops.close()


@pytest.mark.parametrize("number", NUMBERS)
def test_a_mirror_holds_what_the_shop_holds(served: ServedShops, number: int) -> None:
    Histories.served = served
    machine, history = Histories(), MadeUp(number, steps=6)
    try:
        history.play(machine)
        machine.end()
    except BaseException:
        print(*history.told, sep="\n")  # with what it takes to play it again
        raise
    finally:
        machine.leave()


def test_the_simplest_history_that_fails(served: ServedShops) -> None:
    """Hypothesis looks for others, and makes those that fail as short as they get."""
    Histories.served = served
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    effort = settings(max_examples=examples(4), stateful_step_count=8, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Histories, settings=effort)
