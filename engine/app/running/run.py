"""Running interfaces, and the exit code that says how it went."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Final

from engine import stores
from engine.connector import FailureKind
from engine.plan import Plan
from engine.run import EventSink, Run, RunRefusedError, execute_plan

from ..checking.check import Checked, check_sound
from ..errors import Exit, RefusalError, RunsElsewhereError
from ..logging import log
from ..workspace import Workspace
from .live import demand_same, load_live
from .plan import make_plan, plan_checked
from .world import RunOptions, opened_world

BUSY: Final = "E610"
STALE: Final = "E640"
CAPPED: Final = "E641"
_ENDS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def run_saved(
    workspace: Workspace, file: Path, options: RunOptions, events: Callable[[Checked, Plan], EventSink]
) -> Run:
    """Do exactly what the plan in `file` says, or nothing. RefusalError (5) when the definitions have changed since."""

    saved = load_live(file)
    checked, plan = make_plan(workspace, saved.interfaces, saved.parameters)
    demand_same(saved, plan)
    return run_planned(workspace, checked, plan, replace(options, expected=saved.by_step), events(checked, plan))


def run_project(
    workspace: Workspace,
    interfaces: Sequence[str],
    parameters: Mapping[str, str],
    options: RunOptions,
    events: Callable[[Checked, Plan], EventSink],
) -> Run:
    """Plan a run of these interfaces and execute the plan. `events` is asked for the sink once there is a plan.

    Raises DefinitionsError, or RefusalError when another run is going on (Exit.BUSY), a read budget would be passed
    (Exit.APPROVAL) or state cannot be opened.
    """
    checked = check_sound(workspace, parameters, interfaces)
    plan = plan_checked(workspace, checked, interfaces)
    return run_planned(workspace, checked, plan, options, events(checked, plan))


def run_planned(workspace: Workspace, checked: Checked, plan: Plan, options: RunOptions, sink: EventSink) -> Run:
    """Execute a plan of a project that was checked before. Raises as `run_project` does."""

    tracked = tracked_parameters(checked, plan)
    log("run planned", plan=plan.hash, interfaces=plan.interfaces, tasks=len(plan.tasks), isolated=options.isolated)
    with opened_world(workspace, checked, plan, options) as world:
        try:
            run = execute_plan(plan, world, sink, tracked)
        except RunRefusedError as error:
            raise RunsElsewhereError(Exit.BUSY, error.message, error.hint) from None
        except Exception as error:
            if (refusal := _state_refusal(error)) is None:
                raise
            raise refusal from None
    log("run ended", run=run.id, status=run.status, counts=dict(run.counts))
    return run


def _state_refusal(error: Exception) -> RefusalError | None:
    """The error in words, when it is that the run state does not answer."""

    if not stores.is_out_of_reach(error):
        return None
    return RefusalError(
        Exit.BUSY,
        f"the run state does not answer: {getattr(error, 'orig', error)}",
        "see who holds the file of the run state; what was committed stays, and the next run goes on from there",
    )


def tracked_parameters(checked: Checked, plan: Plan) -> dict[str, tuple[str, ...]]:
    """The tracked parameters of the plan's interfaces, by interface."""
    found = {}
    for name in plan.interfaces:
        parameters = checked.project.interfaces[name].spec.parameters
        tracked = tuple(parameter for parameter, spec in parameters.items() if spec.track)
        if tracked:
            found[name] = tracked
    return found


def exit_code(run: Run) -> Exit:
    """0 for a success; 5 when what would be written is not what was planned, or when every failure is a file that
    another process had for too long; 6 when a budget, a cap or a grant ended it; 3 when every failure lies in the
    environment (key, network, secret); otherwise 1.
    """

    if run.status == "succeeded":
        return Exit.OK
    if run.status == "stopped":
        return Exit.INTERRUPTED
    environment = {
        FailureKind.UNREACHABLE,
        FailureKind.TIMEOUT,
        FailureKind.KEY,
        FailureKind.PERMISSION,
        FailureKind.RATE,
        FailureKind.SECRET,
    }
    failed = [outcome for outcome in run.outcomes if outcome.status == "failed"]
    if any(outcome.code == STALE for outcome in failed) or (failed and all(each.code == BUSY for each in failed)):
        return Exit.BUSY
    approvals = (FailureKind.BUDGET, FailureKind.GRANT)
    if any(outcome.failure is not None and outcome.failure.kind in approvals for outcome in failed):
        return Exit.APPROVAL
    if any(outcome.code == CAPPED for outcome in failed):
        return Exit.APPROVAL
    outside = [outcome.failure is not None and outcome.failure.kind in environment for outcome in failed]
    return Exit.ENVIRONMENT if outside and all(outside) else Exit.FAILED


@contextmanager
def interruptible(cancelled: threading.Event) -> Iterator[None]:
    """While open, the first interrupt, SIGTERM or closed terminal asks the run to stop between two commits.

    A second one ends us. What is ignored (by `nohup`) stays ignored.
    """

    def ask(number: int, frame: FrameType | None) -> None:
        if cancelled.is_set():
            signal.default_int_handler(number, frame)
        cancelled.set()

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    heard = [number for number in _ENDS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, ask) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
