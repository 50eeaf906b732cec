"""A run for people: one line per event while it runs, and a summary of tables and their sources at the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, assert_never

from engine.diagnostics import plural
from engine.graph import Call, Export, Extract, Import, Respond, Step, StopIf
from engine.plan import Plan
from engine.run import (
    ConnectionReads,
    Event,
    Outcome,
    Run,
    RunEnded,
    RunStarted,
    TaskEnded,
    TaskProgressed,
    TaskStarted,
)

from ..masking import masked
from ..paint import BLUE, BOLD, DIM, GREEN, RED, YELLOW, Paint

_MARKS: Final[Mapping[str, tuple[str, str]]] = {
    "succeeded": (GREEN, "ok"),
    "failed": (RED, "failed"),
    "skipped": (YELLOW, "skipped"),
    "stopped": (YELLOW, "stopped"),
}
_QUIET: Final = frozenset({"bytes", "pages", "sent", "tables"})
_CELL_WIDTH: Final = 48
_SHOWN_REJECTS: Final = 5


def render_counts(counts: Mapping[str, int]) -> str:
    """`12 requests, 1,100 rows`: zeros are omitted, unless all are zero."""
    parts = []
    for name, number in counts.items():
        if number == 0 or name in _QUIET:
            continue
        if name in ("requests", "rows"):
            parts.append(plural(number, name[:-1]))
        else:
            parts.append(f"{number:,} {name.replace('_', ' ')}")
    return ", ".join(parts) or "nothing new"


def render_event_line(event: Event, *, colour: bool = False) -> str | None:
    """A plain line for logs; None for events without one."""
    paint = Paint(colour)
    match event:
        case RunStarted():
            return f"run {event.run_id}: {plural(len(event.tasks), 'task')}"
        case TaskStarted():
            return f"  … {masked(event.title)}"
        case TaskProgressed():
            return None
        case TaskEnded():
            return _ended(event, paint)
        case RunEnded():
            return None
        case _:
            assert_never(event)


def _ended(event: TaskEnded, paint: Paint) -> str:
    style, word = _MARKS[event.status]
    line = f"  {paint(style, word)} {event.task}"
    if event.status == "succeeded":
        line += f": {render_counts(event.counts)}"
    if event.message:
        line += f": {masked(event.message)}"
    if event.hint:
        line += f"\n      {paint(DIM, 'help:')} {masked(event.hint)}"
    return line


def render_summary(plan: Plan, run: Run, *, colour: bool = False) -> str:
    """The tables read, each step with its sources, warnings, and the run's status."""
    paint = Paint(colour)
    lines: list[str] = []
    reads = [task for task in plan.tasks if isinstance(task.step, Extract)]
    others = [task for task in plan.tasks if not isinstance(task.step, Extract)]
    if reads:
        lines.append(paint(BOLD, "Read"))
        lines += _aligned([(task.step, run.outcome(task.id)) for task in reads], paint)
        width = max(len(_title(task.step)) for task in reads)
        lines += [f"  {name:<{width}}  {plural(number, 'request')}" for name, number in requests_beside(run.reads)]
    if others:
        lines.append(paint(BOLD, "Written"))
        lines += _aligned([(task.step, run.outcome(task.id)) for task in others], paint)
    for item in plan.skipped:
        lines.append(f"  {paint(YELLOW, 'skipped')} {item.address}: {item.reason}")
    for outcome in run.outcomes:
        lines += _remarks(outcome, paint)
    hints = dict.fromkeys(outcome.hint for outcome in run.outcomes if outcome.status == "failed")
    lines += [f"{paint(BLUE, 'help')}: {hint}" for hint in hints if hint]
    style, _ = _MARKS[run.status]
    seconds = (run.ended - run.started).total_seconds()
    lines.append(f"{paint(style, run.status)} in {seconds:.1f} s (run {run.id})")
    return masked("\n".join(lines)) + "\n"


def requests_beside(reads: Sequence[ConnectionReads]) -> list[tuple[str, int]]:
    """Requests of a run besides tables: `shop.events` and their number."""
    found = [
        (f"{each.connection}.{what}", number)
        for each in reads
        for what, number in (("events", each.events), ("account", each.account))
    ]
    return [(name, number) for name, number in found if number]


def _title(step: Step) -> str:
    match step:
        case Extract():
            return f"{step.connection}.{step.table}"
        case Import():
            return step.into
        case StopIf() | Respond():
            return f"{step.interface}.{step.name}"
        case Export():
            return f"{step.connection}.{step.entity}"
        case Call():
            return f"{step.connection}.{step.function}"
        case _:
            assert_never(step)


def _origin(step: Step) -> str:
    """The sources of a step's rows: `from shop.charges, shop.customers`."""
    if isinstance(step, Extract):
        return ""
    sources = ", ".join(f"{read.namespace}.{read.need.table}" for read in step.box.bound.reads)
    return f"from {sources}" if sources else ""


def _aligned(rows: Sequence[tuple[Step, Outcome | None]], paint: Paint) -> list[str]:
    """Target, outcome and sources, in columns."""
    cells = [
        (_title(step), "not run" if outcome is None else _outcome(outcome, paint), _origin(step))
        for step, outcome in rows
    ]
    widths = [min(max((len(row[column]) for row in cells), default=0), _CELL_WIDTH) for column in (0, 1)]
    return [
        f"  {name:<{widths[0]}}  {text:<{widths[1]}}  {paint(DIM, origin)}".rstrip() for name, text, origin in cells
    ]


def _outcome(outcome: Outcome, paint: Paint) -> str:
    style, word = _MARKS[outcome.status]
    if outcome.status == "succeeded" and outcome.failure is not None:
        return paint(YELLOW, outcome.message or "not read")
    if outcome.status == "succeeded":
        return render_counts(outcome.counts)
    return paint(style, word) + (f": {outcome.message}" if outcome.message else "")


def _remarks(outcome: Outcome, paint: Paint) -> list[str]:
    """Lines that need attention: drift, rejects, warnings, and snapshots."""
    warning, note = paint(YELLOW, "warning"), paint(DIM, "note")
    lines = [f"{warning}: {outcome.id}: {text}" for text in outcome.warnings]
    for drift in outcome.drift:
        what = "is not in the catalogue" if drift.problem == "unknown" else "has values of an unexpected type"
        kept = f"({plural(drift.rows, 'row')}; stored in `_extra`)"
        lines.append(f"{warning}: `{drift.table}.{drift.field}` {what} {kept}")
    for reject in outcome.rejects[:_SHOWN_REJECTS]:
        key = ", ".join(f"{name} = {value}" for name, value in reject.key.items())
        lines.append(f"    {key or 'a row'}: `{reject.column}` {reject.problem}")
    if outcome.counts.get("rejected", 0) > _SHOWN_REJECTS:
        lines.append("    … use `weir runs rejects` to list more")
    if outcome.snapshot is not None:
        lines.append(f"{note}: {outcome.id}: snapshot in {outcome.snapshot}")
    return lines
