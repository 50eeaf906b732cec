"""Plans: what a run would do now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from engine import duck
from engine.connector import Mirror, MirrorInstant
from engine.diagnostics import CODES, Collector, Severity
from engine.graph import Extract, Import
from engine.plan import Known, Plan, Watermark, plan_graph, report_unset, select_interfaces
from engine.report.plans.plan_json import render_plan_json
from engine.run import StoreError

from ..checking.check import Checked, check_sound
from ..errors import Exit, RefusalError
from ..files import write_whole
from ..state import utc_now
from ..workspace import Workspace


def make_plan(workspace: Workspace, interfaces: Sequence[str], parameters: Mapping[str, str]) -> tuple[Checked, Plan]:
    """Check the project and plan a run of these interfaces (names or globs; all without any).

    Raises DefinitionsError when something is wrong with the definitions, RefusalError for a name that means nothing.
    """
    checked = check_sound(workspace, parameters, interfaces)
    return checked, plan_checked(workspace, checked, interfaces)


def plan_checked(workspace: Workspace, checked: Checked, interfaces: Sequence[str]) -> Plan:
    """The plan of these interfaces of a project that was checked with their parameters. Raises RefusalError for a name
    that means nothing, or a parameter without a value."""

    collector = Collector()
    chosen = select_interfaces(checked.project, interfaces, order_of(checked), collector)
    report_unset(checked.graph, chosen, checked.project, collector)
    for finding in collector:
        if CODES[finding.code].severity is Severity.ERROR:
            raise RefusalError(Exit.USAGE, f"{finding.message} ({finding.code})", finding.hint)
    known = known_now(workspace, checked)
    return plan_graph(checked.graph, checked.project, workspace.connectors, chosen, known)


def order_of(checked: Checked) -> list[str]:
    """The interfaces in the order in which the graph runs them; those without steps last."""

    ordered = [step.interface for step in checked.graph.steps if not isinstance(step, Extract)]
    return list(dict.fromkeys([*ordered, *checked.project.interfaces]))


def known_now(workspace: Workspace, checked: Checked) -> Known:
    """The time, what each connection's mirror holds, and what steps have seen of it: what makes estimates possible."""

    found: dict[str, Sequence[Mirror]] = {}
    positions: dict[str, MirrorInstant] = {}
    for name, catalogue in checked.catalogues.items():
        file = workspace.paths.staging(name)
        if not file.exists():
            continue

        staging = duck.DuckStaging(file, catalogue)
        try:
            found[name] = staging.mirrors()
            position = staging.position()
            if position is not None:
                positions[name] = position
        except StoreError:  # a run in progress holds the file: the estimates are less exact then
            continue
        finally:
            staging.close()
    return Known(utc_now(), found, positions, _watermarks(workspace, checked))


def _watermarks(workspace: Workspace, checked: Checked) -> Mapping[str, Watermark]:
    """What steps that read changed rows have seen."""

    if not any(isinstance(step, Import) and step.fingerprint for step in checked.graph.steps):
        return {}

    try:
        return duck.read_watermarks(workspace.paths.tables)
    except StoreError:  # as above
        return {}


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan as JSON."""

    write_whole(path, render_plan_json(plan))


def has_changed(workspace: Workspace, plan: Plan) -> bool:
    """Whether the last successful run of these interfaces was of another plan (or there was none)."""
    for run in workspace.runs().runs(1000) if workspace.has_runs else ():
        if run.status == "succeeded" and set(run.interfaces) >= set(plan.interfaces):
            return run.plan_hash != plan.hash
    return True
