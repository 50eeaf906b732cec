"""A plan, executed: leases, threads, records; whatever happens, the run is told and recorded to its end."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from datetime import datetime
from typing import Literal

from engine.plan import Plan

from .context import RunContext
from .environment import World
from .events import Event, EventSink, RunEnded, RunStarted
from .initial import initialise
from .leases import Leases, bury_dead_runs
from .mirrors import Mirrors
from .outcome import Outcome, Run
from .perform import perform
from .ports.records import RunRecord, StepRecord
from .schedule import Schedule, Skip
from .tracking import Tracked, tracked_moment


def execute_plan(plan: Plan, world: World, events: EventSink, tracked: Tracked | None = None) -> Run:
    """Do everything the plan says and tell how it went. `RunRefusedError` (E622) before anything is done.

    Independent tasks run in parallel; each import is one transaction. A run that is killed at any moment leaves
    tables as they were before or after a step, and the next run starts over with whatever staging covers.
    """
    now = world.now()
    run_id = world.new_id(now)
    with Leases(world, plan.interfaces) as leases, Mirrors(plan, world) as mirrors:
        bury_dead_runs(world)
        _clear_spool(world)
        context = RunContext(
            run_id=run_id,
            world=world,
            events=_serialized(events),
            connections={settings.name: settings for settings in plan.connections},
            lease_lost=lambda: leases.lost,
            mirrors=mirrors,
            folder=world.directory / "runs" / run_id,
            spool=world.directory / "spool" / run_id,
        )
        world.runs.begin_run(
            RunRecord(run_id, plan.interfaces, "running", now, None, world.user, world.commit, plan.hash, {})
        )
        context.events(RunStarted(now, run_id, plan.interfaces, tuple(task.id for task in plan.tasks)))
        (context.spool / "boxes").mkdir(parents=True)
        try:
            outcomes = _perform_all(plan, context)
        finally:
            shutil.rmtree(context.spool, ignore_errors=True)
        return _end(plan, context, now, outcomes, tracked or {})


def _perform_all(plan: Plan, context: RunContext) -> list[Outcome]:
    """Begin whatever may begin, as far as there are threads, until nothing is left or the run is stopped."""
    schedule = Schedule(plan)
    outcomes: list[Outcome] = []
    running: set[Future[tuple[Outcome, ...]]] = set()

    def keep(outcome: Outcome) -> None:
        outcomes.append(outcome)
        _record(context, outcome)

    for outcome in initialise(context):
        keep(outcome)
    if any(outcome.status != "succeeded" for outcome in outcomes):
        for task in schedule.take_rest():
            keep(_skipped(Skip(task, "the rows that were given could not be written", blocks=True), context))
        return outcomes
    with ThreadPoolExecutor(max(1, context.world.parallel), thread_name_prefix="task") as pool:
        while True:
            if not context.is_stopping():
                ready, skips = schedule.take()
                for skip in skips:
                    keep(_skipped(skip, context))
                running |= {pool.submit(perform, unit, context) for unit in ready}
            if not running:
                break
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                for outcome in future.result():
                    schedule.end(outcome)
                    keep(outcome)
    for task in schedule.take_rest():
        keep(_skipped(Skip(task, "the run was stopped", blocks=True), context))
    order = {task.id: number for number, task in enumerate(plan.tasks)}
    return sorted(outcomes, key=lambda outcome: order.get(outcome.id, -1))


def _skipped(skip: Skip, context: RunContext) -> Outcome:
    outcome = context.outcome(skip.task.step, "skipped", context.world.now(), message=skip.reason)
    context.tell(outcome)
    return outcome


def _record(context: RunContext, outcome: Outcome) -> None:
    record = StepRecord(
        step=outcome.id,
        kind=outcome.kind,
        status=outcome.status,
        started=outcome.started,
        ended=outcome.ended,
        counts=outcome.counts,
        message=outcome.message,
    )
    context.world.runs.end_step(context.run_id, record)


def _end(plan: Plan, context: RunContext, started: datetime, outcomes: list[Outcome], tracked: Tracked) -> Run:
    """Record and tell how the run ended."""
    world = context.world
    counts: Counter[str] = Counter()
    for outcome in outcomes:
        counts.update(outcome.counts)
    reads = tuple(context.reads.values())
    if beside := sum(each.events + each.account for each in reads):
        counts["requests"] += beside
    status = _status(context, outcomes)
    for interface, names in tracked.items():
        if _succeeded([outcome for outcome in outcomes if outcome.interface == interface]):
            moment = tracked_moment(plan, interface, context.read_at, started)
            world.runs.track(interface, dict.fromkeys(names, moment.isoformat()))
    writes = tuple(context.planned[task.id] for task in plan.tasks if task.id in context.planned)
    ended = world.now()
    world.runs.end_run(context.run_id, status, ended, dict(counts), reads)
    context.events(RunEnded(ended, context.run_id, status, dict(counts), (ended - started).total_seconds()))
    return Run(
        context.run_id,
        plan.interfaces,
        status,
        started,
        ended,
        plan.hash,
        tuple(outcomes),
        dict(counts),
        writes=writes,
        reads=reads,
    )


def _status(context: RunContext, outcomes: list[Outcome]) -> Literal["succeeded", "failed", "stopped"]:
    if context.is_stopping() and any(outcome.status in ("stopped", "skipped") for outcome in outcomes):
        return "stopped"
    return "failed" if any(outcome.status != "succeeded" for outcome in _expected(outcomes)) else "succeeded"


def _expected(outcomes: list[Outcome]) -> list[Outcome]:
    """Without the tasks that were left out because their interface ended on purpose."""
    over = {outcome.interface for outcome in outcomes if outcome.ends_interface}
    return [outcome for outcome in outcomes if outcome.status != "skipped" or outcome.interface not in over]


def _succeeded(outcomes: list[Outcome]) -> bool:
    """Whether an interface did all that it was to do."""
    return bool(outcomes) and all(outcome.status == "succeeded" for outcome in _expected(outcomes))


def _clear_spool(world: World) -> None:
    """Delete what dead runs left behind: what they read and did not load is read again."""
    folder = world.directory / "spool"
    for left in folder.iterdir() if folder.is_dir() else ():
        found = world.runs.run(left.name)
        if found is None or found[0].status != "running":
            shutil.rmtree(left, ignore_errors=True)


def _serialized(events: EventSink) -> EventSink:
    """One event at a time, whatever thread it comes from."""
    lock = threading.Lock()

    def tell(event: Event) -> None:
        with lock:
            events(event)

    return tell
