"""Where a process may die: before or after each step of what a run commits. Only ever used in a child of its own."""

from __future__ import annotations

import functools
import itertools
import os
import signal
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

BEFORE, AFTER = "before", "after"
SMALL_SLICES: Final = {"max_slice_bytes": 10_000, "concurrency": 1}
"""A page or two make a slice, so that there are several of them."""

POINTS: Final = {
    "the run is recorded": ("engine.stores.run_store:SqlRunStore.begin_run", AFTER),
    "a slice is asked for": ("engine.run.tasks.extract.extract:_read_slices", BEFORE),
    "a slice is read": ("engine.run.tasks.extract.extract:_read_slices", AFTER),
    "rows are stored": ("engine.duck.staging.staging:ingest", AFTER),
    "coverage is to be recorded": ("engine.duck.staging.staging:record_coverage", BEFORE),
    "coverage is recorded": ("engine.duck.staging.staging:record_coverage", AFTER),
    "the gone are buried": ("engine.duck.staging.staging:bury", AFTER),
    "children are buried": ("engine.duck.staging.staging:bury_left_behind", AFTER),
    "events are to be recorded": ("engine.duck.staging.staging:record_events", BEFORE),
    "events are recorded": ("engine.duck.staging.staging:record_events", AFTER),
    "a load is to be committed": ("engine.duck.staging.staging:record_drift", AFTER),
    "a load is committed": ("engine.duck.staging.staging:DuckStaging.load", AFTER),
    "a slice is done with": ("engine.run.tasks.extract.extract:_load", AFTER),
    "a table is to be written": ("engine.duck.schema.store:DuckTableStore.apply", BEFORE),
    "a table is written": ("engine.duck.schema.store:DuckTableStore.apply", AFTER),
    "a step is to be recorded": ("engine.stores.run_store:SqlRunStore.end_step", BEFORE),
    "a step is recorded": ("engine.stores.run_store:SqlRunStore.end_step", AFTER),
    "the end is to be recorded": ("engine.stores.run_store:SqlRunStore.end_run", BEFORE),
    "the end is recorded": ("engine.stores.run_store:SqlRunStore.end_run", AFTER),
}
"""In the order of a run: what has just happened, or is about to."""

WRITE_POINTS: Final = {
    "ops are to be planned": ("engine.stores.write_ledger:SqlWriteLedger.plan_ops", BEFORE),
    "ops are planned": ("engine.stores.write_ledger:SqlWriteLedger.plan_ops", AFTER),
    "ops are to be marked as sent": ("engine.stores.write_ledger:SqlWriteLedger.mark_sent", BEFORE),
    "ops are marked as sent": ("engine.stores.write_ledger:SqlWriteLedger.mark_sent", AFTER),
    "an answer does not come": ("engine.connectors.stripe.client.client:Client._failure", BEFORE),
    "an answer has come": ("engine.connectors.stripe.write.writer:_done", BEFORE),
    "ends are to be recorded": ("engine.stores.write_ledger:SqlWriteLedger.end_ops", BEFORE),
    "ends are recorded": ("engine.stores.write_ledger:SqlWriteLedger.end_ops", AFTER),
    "answers are to be stored": ("engine.run.writes.send:Sender._stage", BEFORE),
    "answers are stored": ("engine.stores.write_ledger:SqlWriteLedger.staged", BEFORE),
    "answers are forgotten": ("engine.stores.write_ledger:SqlWriteLedger.staged", AFTER),
    "outcomes are to be kept": ("engine.duck.staging.staging:DuckStaging.keep_outcomes", BEFORE),
    "outcomes are kept": ("engine.duck.staging.staging:DuckStaging.keep_outcomes", AFTER),
}
"""The same for what a run writes to a provider. An answer only fails to come where the sandbox was told so."""


def arm(point: str | None, times: int) -> None:
    """Have this process read small slices, and die when it comes to the point for the `times`th time."""
    world: Any = import_module("engine.app.running.world")
    config_of = world.connection_config
    world.connection_config = lambda *given: {**config_of(*given), **SMALL_SLICES}
    if point is None:
        return
    place, when = {**POINTS, **WRITE_POINTS}[point]
    module, _, route = place.partition(":")
    *owners, name = route.split(".")
    owner: Any = functools.reduce(getattr, owners, import_module(module))
    setattr(owner, name, _deadly(getattr(owner, name), when, times))


def _deadly(function: Callable[..., Any], when: str, times: int) -> Callable[..., Any]:
    counter = itertools.count(1)

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        dies = next(counter) == times
        if dies and when == BEFORE:
            os.kill(os.getpid(), signal.SIGKILL)
        answer = function(*arguments, **options)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    return call
