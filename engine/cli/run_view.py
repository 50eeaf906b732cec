"""What a person sees of a run while it goes on, and at its end."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import click

from engine.app.checking.check import Checked
from engine.report.runs.run_text import render_summary

from .findings import warn
from .progress import shown_events
from .session import Session

if TYPE_CHECKING:
    from engine.plan import Plan
    from engine.run import EventSink, Run


class Face:
    """Shows a run: events as they come, the summary at the end."""

    def __init__(self, session: Session, style: str, stack: ExitStack) -> None:
        self._session = session
        self._style = style
        self._stack = stack
        self._plan: Plan | None = None

    def begin(self, checked: Checked, plan: Plan) -> EventSink:
        """The sink for the events of a run of this plan."""
        warn(checked, self._session)
        self._plan = plan
        coloured = self._session.talkative
        rows = {task.id: task.estimate.rows for task in plan.tasks if task.estimate.rows}
        shown = shown_events(self._style, bars=self._session.talkative, coloured=coloured, estimates=rows)
        return self._stack.enter_context(shown)

    def close(self, run: Run) -> None:
        """Print what came from where, and what is worth a look."""
        if self._plan is None:
            return
        coloured = self._session.coloured
        text = render_summary(self._plan, run, colour=coloured)
        click.echo(text, nl=False, color=coloured or None)
