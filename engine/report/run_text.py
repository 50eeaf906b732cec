"""A run for people: a line an event while it goes on, and at the end what came from where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from engine.graph import Extract, Import
from engine.plan import Plan
from engine.run import Event, RunEnded, RunStarted, TaskEnded, TaskProgressed, TaskStarted

from .masking import masked
from .paint import BOLD, DIM, GREEN, RED, YELLOW, Paint, plural

_MARKS: Final[Mapping[str, tuple[str, str]]] = {
    "succeeded": (GREEN, "ok"),
    "failed": (RED, "failed"),
    "skipped": (YELLOW, "skipped"),
    "stopped": (YELLOW, "stopped"),
}
_NOUNS: Final[Mapping[str, str]] = {
    "requests": "request",
    "rows": "row",
    "read": "row read",
    "retries": "retry",
}
_QUIET: Final = frozenset({"bytes", "pages", "tables"})


def render_counts(counts: Mapping[str, int]) -> str:
    """`12 requests, 1,100 rows`: what is zero is left out, unless everything is."""
    parts = []
    for name, number in counts.items():
        if number == 0 or name in _QUIET:
            continue
        if name in ("requests", "rows"):
            parts.append(plural(number, _NOUNS[name]))
        else:
            parts.append(f"{number:,} {name.replace('_', ' ')}")
    return ", ".join(parts) or "nothing new"


def render_event_line(event: Event, *, colour: bool = False) -> str | None:
    """A plain line for logs; None for events that are not worth one."""
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


@dataclass(slots=True)
class RunSummary:
    """Gathers a run's events for the closing report."""

    ended: dict[str, TaskEnded] = field(default_factory=dict)
    run: RunEnded | None = None

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, TaskEnded):
            self.ended[event.task] = event
        elif isinstance(event, RunEnded):
            self.run = event

    @property
    def failures(self) -> Sequence[TaskEnded]:
        """The tasks that failed, in the order in which they did."""
        return [event for event in self.ended.values() if event.status == "failed"]


def render_summary(plan: Plan, summary: RunSummary, *, colour: bool = False) -> str:
    """What came from where: the tables read, then each step with its sources, and how the run ended."""
    paint = Paint(colour)
    lines: list[str] = []
    reads = [task for task in plan.tasks if isinstance(task.step, Extract)]
    writes = [task for task in plan.tasks if isinstance(task.step, Import)]
    if reads:
        lines.append(paint(BOLD, "Read"))
        lines += _aligned((_source(task.step), summary.ended.get(task.id)) for task in reads)
    if writes:
        lines.append(paint(BOLD, "Written"))
        lines += _aligned((_target(task.step), summary.ended.get(task.id)) for task in writes)
    for item in plan.skipped:
        lines.append(f"  {paint(YELLOW, 'left out')} {item.address}: {item.reason}")
    if summary.run is not None:
        lines.append(_closing(summary.run, paint))
    return masked("\n".join(lines)) + "\n"


def _source(step: object) -> str:
    return f"{step.connection}.{step.table}" if isinstance(step, Extract) else ""


def _target(step: object) -> str:
    if not isinstance(step, Import):
        return ""
    sources = ", ".join(f"{read.namespace}.{read.need.table}" for read in step.box.bound.reads)
    return f"{step.into} ← {sources}" if sources else step.into


def _aligned(rows: Iterable[tuple[str, TaskEnded | None]]) -> list[str]:
    listed = [(name, "not run" if event is None else _outcome(event)) for name, event in rows]
    width = min(max((len(name) for name, _ in listed), default=0), 76)
    return [
        f"  {name:<{width}}  {text}" if len(name) <= width else f"  {name}\n  {'':<{width}}  {text}"
        for name, text in listed
    ]


def _outcome(event: TaskEnded) -> str:
    if event.status == "succeeded":
        return render_counts(event.counts)
    return f"{event.status}: {event.message}" if event.message else event.status


def _closing(run: RunEnded, paint: Paint) -> str:
    style, _ = _MARKS[run.status]
    return f"{paint(style, run.status)} in {run.seconds:.1f} s (run {run.run_id})"
