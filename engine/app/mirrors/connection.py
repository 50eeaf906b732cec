"""Testing connections: does the key work, and what may it read?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace

from engine.connector import CheckReport, Verdict
from engine.connector.sandbox import SANDBOX
from engine.diagnostics import did_you_mean
from engine.graph import Extract
from engine.plan import ConnectionSettings, connection_settings
from engine.run import is_accepted

from ..checking.check import Checked, DefinitionsError, check_project
from ..errors import Exit, RefusalError
from ..running.sandbox import embedded_sandbox
from ..running.world import connection_config
from ..state import utc_now
from ..workspace import Workspace


def test_connections(
    workspace: Workspace, names: Sequence[str], environment: Mapping[str, str]
) -> tuple[Checked, list[CheckReport]]:
    """Reach the provider with each of these connections (all active ones without names), one after the other.

    Findings of other definitions do not stop it. What it asks counts for the read budgets. RefusalError for a name that
    is no connection.
    """
    checked = check_project(workspace)
    settings = chosen_settings(workspace, checked, names)
    with ExitStack() as stack:
        sandbox = None
        if any(connection.base_url == SANDBOX for connection in settings):
            workspace.paths.prepare()
            sandbox = stack.enter_context(embedded_sandbox(environment, workspace.paths.sandbox))
        reports = []
        for connection in settings:
            config = {**connection_config(connection, workspace.root, sandbox), "connection": connection.name}
            connector = workspace.connectors[connection.connector]
            report = connector.check(config, _tables(checked, connection.name))
            _count(workspace, report)
            report = _with_optional(report, connection.optional)
            reports.append(_without_clock(report) if connection.base_url == SANDBOX else report)
    return checked, reports


def _count(workspace: Workspace, report: CheckReport) -> None:
    """Write down what the test has asked, as a run does."""
    if report.requests:
        workspace.runs().count_reads(report.connection, utc_now().date(), report.requests)


def _with_optional(report: CheckReport, optional: Sequence[str]) -> CheckReport:
    """The report, in which a refused table that is optional is worth a warning only."""

    probes = tuple(
        replace(each, verdict=Verdict.WARNING, message=f"optional, and not readable: {each.message}")
        if each.failure is not None and is_accepted(each.failure, each.name, frozenset(optional))
        else each
        for each in report.probes
    )
    if probes == report.probes:
        return report
    return replace(report, ok=all(each.verdict is not Verdict.FAILED for each in probes), probes=probes)


def _without_clock(report: CheckReport) -> CheckReport:
    """The embedded sandbox's clock stands where its invented business does: how far off ours is, says nothing."""
    facts = {name: fact for name, fact in report.facts.items() if name != "clock"}
    return replace(report, facts=facts, probes=tuple(probe for probe in report.probes if probe.name != "clock"))


def chosen_settings(
    workspace: Workspace, checked: Checked, names: Sequence[str], *, inactive: bool = False
) -> list[ConnectionSettings]:
    """The connections with these names; without names all active ones, or, with `inactive`, all. RefusalError for a
    name that is none, and where there is none at all."""

    known = checked.project.connections
    for name in names:
        if name not in known:
            if any(kind == "connection" and broken == name for kind, broken in checked.specs.broken):
                raise DefinitionsError(checked)
            hint = did_you_mean(name, known) or f"there is {', '.join(f'`{each}`' for each in known) or 'none'}"
            raise RefusalError(Exit.USAGE, f"no connection `{name}`", hint)
    if not names and any(kind == "connection" for kind, _ in checked.specs.broken):
        raise DefinitionsError(checked)  # all are meant, and one of them cannot be
    if not known:
        raise (
            DefinitionsError(checked)
            if checked.has_errors
            else RefusalError(Exit.USAGE, "this project has no connection", "`weir new connection` adds one")
        )
    chosen = names or [name for name, connection in known.items() if inactive or connection.spec.is_active]
    if not chosen:
        off = ", ".join(f"`{name}`" for name in known)
        raise RefusalError(
            Exit.USAGE, f"no connection is active: {off} is switched off", "name one to use it all the same"
        )
    connectors = workspace.connectors
    for name in chosen:
        if known[name].spec.connector not in connectors:
            raise DefinitionsError(checked)
    return [connection_settings(known[name], connectors) for name in dict.fromkeys(chosen)]


def _tables(checked: Checked, connection: str) -> tuple[str, ...]:
    """The tables that the definitions read from the connection."""

    return tuple(
        sorted(
            step.table for step in checked.graph.steps if isinstance(step, Extract) and step.connection == connection
        )
    )
