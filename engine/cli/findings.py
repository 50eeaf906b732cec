"""Showing findings: on stderr beside another verb's work, on stdout when they are what was asked for."""

from __future__ import annotations

from typing import cast

import click

from engine.app.checking.check import Checked
from engine.report import FindingFormat, render_findings

from .session import Session


def rendered(checked: Checked, style: str, *, coloured: bool) -> str:
    """The findings of a project in one of the formats."""
    from importlib.metadata import version

    wanted = cast("FindingFormat", style)
    return render_findings(wanted, checked.diagnostics, checked.tree, version=version("weir"), colour=coloured)


def warn(checked: Checked, session: Session) -> None:
    """Show all findings on stderr, if there are any: beside the work of other verbs, a line for each warning."""
    if checked.diagnostics:
        text = rendered(checked, "text" if checked.has_errors else "concise", coloured=session.talkative)
        click.echo(text, err=True, nl=not text.endswith("\n"))
