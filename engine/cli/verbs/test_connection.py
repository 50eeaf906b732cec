"""`weir test-connection`: does the key work, and what may it read?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from engine.app.errors import Exit
from engine.app.mirrors.connection import test_connections
from engine.cli.findings import warn
from engine.cli.refusals import findings_shown
from engine.cli.session import Session, pass_session, project_option
from engine.cli.tables import json_line

if TYPE_CHECKING:
    from engine.connector import CheckReport, Probe

_STYLES = {"ok": "green", "warning": "yellow", "failed": "red"}


@click.command("test-connection")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@project_option
@pass_session
def command(session: Session, names: tuple[str, ...], style: str) -> None:
    """Reach the provider with each connection (all without NAME) and probe the tables that interfaces read.

    Exit code 0 with a success message, or 3 with the exact reason.
    """
    with findings_shown(session):
        checked, reports = test_connections(session.workspace, names, session.environment)
    warn(checked, session)
    for report in reports:
        click.echo(_json(report) if style == "json" else _text(report, session))
    if not all(report.ok for report in reports):
        raise click.exceptions.Exit(int(Exit.ENVIRONMENT))


def _text(report: CheckReport, session: Session) -> str:
    paint = click.style if session.coloured else _plain
    lines = [paint(report.connection, bold=True)]
    width = max((len(name) for name in report.facts), default=0)
    lines += [f"  {name:<{width}}  {fact}" for name, fact in report.facts.items()]
    for probe in report.probes:
        latency = f" ({probe.latency_ms:.0f} ms)" if probe.latency_ms is not None else ""
        lines.append(
            f"  {paint(probe.verdict.value, fg=_STYLES[probe.verdict.value])} {probe.name}{latency}: {_said(probe)}"
        )
        if probe.failure is not None and probe.failure.hint:
            lines.append(f"      help: {probe.failure.hint}")
    verdict = "success: the connection works" if report.ok else "failed: the connection cannot be used as it is"
    lines.append(f"{paint(verdict, fg='green' if report.ok else 'red')}")
    return "\n".join(lines)


def _said(probe: Probe) -> str:
    request = f" (request {probe.failure.request_id})" if probe.failure and probe.failure.request_id else ""
    return probe.message + request


def _plain(text: str, **_style: object) -> str:
    return text


def _json(report: CheckReport) -> str:
    return json_line(
        {
            "connection": report.connection,
            "ok": report.ok,
            "facts": dict(report.facts),
            "probes": [
                {
                    "name": probe.name,
                    "verdict": probe.verdict.value,
                    "message": probe.message,
                    "latency_ms": probe.latency_ms,
                    "failure": None if probe.failure is None else _failure(probe.failure),
                }
                for probe in report.probes
            ],
        }
    )


def _failure(failure: object) -> dict[str, object]:
    from dataclasses import asdict

    return {name: str(value) for name, value in asdict(failure).items() if value is not None}  # type: ignore[call-overload]
