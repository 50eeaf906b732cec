"""What a run shows while it goes on: bars on a terminal, plain lines otherwise, JSON lines on request."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import click

from engine.diagnostics import plural
from engine.report.runs.run_json import render_event_json
from engine.report.runs.run_text import render_event_line
from engine.run import Event, EventSink, TaskEnded, TaskProgressed, TaskStarted

from .streams import forget_stdout


@contextmanager
def shown_events(
    style: str, *, bars: bool, coloured: bool, estimates: Mapping[str, int] | None = None
) -> Iterator[EventSink]:
    """A sink for a run's events that shows them as they come. It may be called from any thread.

    `style` is text, json, or silent: then only bars are shown, if a person watches. `estimates` are the rows that a
    task is expected to read, by task: what a bar counts up to.
    """
    if style == "json":
        yield _JsonLines()
    elif bars:
        with _Bars(estimates or {}, lines=style == "text") as sink:
            yield sink
    else:
        yield _Lines(coloured) if style == "text" else _nothing


def standing(counts: Mapping[str, int], seconds: float, expected: int | None) -> str:
    """How far a task is after so many seconds: requests, rows, rows a second, and what is left if that is known."""
    if "of" in counts:
        return _writing(counts["sent"], counts["of"], seconds)
    requests, rows = counts.get("requests", 0), counts.get("rows", 0)
    if not requests and not rows:
        return ""
    words = f"{plural(requests, 'request')}, {plural(rows, 'row')}"
    rate = rows / seconds if seconds >= 1 else 0.0
    if rate:
        words += f" ({rate:,.0f}/s)"
    left = (expected or 0) - rows
    if left > 0:
        words += f", about {left:,} left"
        if rate:
            minutes, rest = divmod(round(left / rate), 60)
            words += f" in {minutes}:{rest:02}"
    return words


def _writing(sent: int, of: int, seconds: float) -> str:
    """How far the writes of a step are."""
    words = f"{sent:,} of {plural(of, 'write')}"
    rate = sent / seconds if seconds >= 1 else 0.0
    if not rate:
        return words
    minutes, rest = divmod(round((of - sent) / rate), 60)
    return f"{words} ({rate:,.0f}/s), about {minutes}:{rest:02} left"


def _nothing(_event: Event) -> None:
    """Show no event."""


class _JsonLines:
    """A line an event. When their reader has gone, the run goes on: what it writes matters more than its story."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read = True

    def __call__(self, event: Event) -> None:
        with self._lock:
            if not self._read:
                return
            try:
                click.echo(render_event_json(event))
            except OSError:
                self._read = False
                forget_stdout()


class _Lines:
    def __init__(self, coloured: bool) -> None:
        self._lock = threading.Lock()
        self._coloured = coloured

    def __call__(self, event: Event) -> None:
        line = render_event_line(event, colour=self._coloured)
        if line is not None:
            with self._lock, suppress(OSError):  # a log that nobody reads stops no run
                click.echo(line, err=True)


class _Bars:
    """One bar a running task: what it does, requests, rows, rows a second. With `lines` what has ended stays."""

    def __init__(self, estimates: Mapping[str, int], *, lines: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(20),
            TextColumn("{task.fields[counts]}", style="cyan", markup=False),
            TextColumn("{task.fields[waiting]}", style="yellow", markup=False),
            TimeElapsedColumn(),
            console=self._console,
            transient=True,
        )
        self._estimates = estimates
        self._lines = lines
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> _Bars:
        self._progress.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._progress.stop()

    def __call__(self, event: Event) -> None:
        match event:
            case TaskStarted():
                self._tasks[event.task] = self._progress.add_task(
                    event.title, total=self._estimates.get(event.task), counts="", waiting=""
                )
            case TaskProgressed():
                self._advance(event)
            case TaskEnded():
                known = self._tasks.pop(event.task, None)
                if known is not None:
                    self._progress.remove_task(known)
                self._print(event)
            case _:
                self._print(event)

    def _advance(self, event: TaskProgressed) -> None:
        known = self._tasks.get(event.task)
        if known is None:
            return
        seconds = self._progress.tasks[self._progress.task_ids.index(known)].elapsed or 0
        rows = event.counts.get("rows", 0)
        counts = standing(event.counts, seconds, self._estimates.get(event.task))
        self._progress.update(known, completed=rows, counts=counts, waiting=event.waiting or "")

    def _print(self, event: Event) -> None:
        line = render_event_line(event, colour=False) if self._lines else None
        if line is not None:
            self._progress.console.print(line, markup=False)
