"""Plans: what a run would do now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.diagnostics import CODES, Collector, Severity

from ..checking.check import Checked, check_project, demand_sound
from ..checking.fixing import write_whole
from ..connectors import installed_connectors
from ..errors import Exit, RefusalError
from ..settings import project_settings
from ..state import StatePaths, run_store, state_paths, utc_now

if TYPE_CHECKING:
    from engine.connector import Mirror, MirrorInstant
    from engine.plan import Known, Plan, Watermark


def make_plan(root: Path, interfaces: Sequence[str], parameters: Mapping[str, str]) -> tuple[Checked, Plan]:
    """Check the project and plan a run of these interfaces (names or globs; all without any).

    Raises DefinitionsError when something is wrong with the definitions, RefusalError for a name that means nothing.
    """
    paths = state_paths(root, project_settings(root).state)
    checked = demand_sound(check_project(root, parameters, tracked_values(paths), interfaces))
    return checked, plan_checked(checked, interfaces, paths)


def plan_checked(checked: Checked, interfaces: Sequence[str], paths: StatePaths) -> Plan:
    """The plan of these interfaces of a project that was checked with their parameters. Raises RefusalError for a name
    that means nothing, or a parameter without a value."""
    from engine.plan import plan_graph, report_unset, select_interfaces

    collector = Collector()
    chosen = select_interfaces(checked.project, interfaces, order_of(checked), collector)
    report_unset(checked.graph, chosen, checked.project, collector)
    for finding in collector:
        if CODES[finding.code].severity is Severity.ERROR:
            raise RefusalError(Exit.USAGE, f"{finding.message} ({finding.code})", finding.hint)
    connectors = installed_connectors()
    return plan_graph(checked.graph, checked.project, connectors, chosen, known_now(checked, paths))


def order_of(checked: Checked) -> list[str]:
    """The interfaces in the order in which the graph runs them; those without steps last."""
    from engine.graph import Extract

    ordered = [step.interface for step in checked.graph.steps if not isinstance(step, Extract)]
    return list(dict.fromkeys([*ordered, *checked.project.interfaces]))


def tracked_values(paths: StatePaths) -> Mapping[tuple[str, str], str]:
    """Values of tracked parameters that the last successful runs left behind."""
    if not paths.runs.exists():
        return {}
    with run_store(paths) as store:
        return dict(store.tracked())


def known_now(checked: Checked, paths: StatePaths) -> Known:
    """The time, what each connection's mirror holds, and what steps have seen of it: what makes estimates possible."""
    from engine.plan import Known

    from ..checking.compile import catalogues_of

    found: dict[str, Sequence[Mirror]] = {}
    instants: dict[str, MirrorInstant] = {}
    for name, catalogue in catalogues_of(checked.project).items():
        file = paths.staging(name)
        if not file.exists():
            continue
        from engine.duck import DuckStaging
        from engine.run import StoreError

        staging = DuckStaging(file, catalogue)
        try:
            found[name] = staging.mirrors()
            instant = staging.instant()
            if instant is not None:
                instants[name] = instant
        except StoreError:  # a run that goes on holds the file: then the estimates say less
            continue
        finally:
            staging.close()
    return Known(utc_now(), found, instants, _watermarks(checked, paths))


def _watermarks(checked: Checked, paths: StatePaths) -> Mapping[str, Watermark]:
    """What steps that read changed rows have seen."""
    from engine.graph import Import

    if not any(isinstance(step, Import) and step.fingerprint for step in checked.graph.steps):
        return {}
    from engine.duck import read_watermarks
    from engine.run import StoreError

    try:
        return read_watermarks(paths.tables)
    except StoreError:  # as above
        return {}


def save_plan(plan: Plan, path: Path) -> None:
    """Write the plan as JSON."""
    from engine.report.plans.plan_json import render_plan_json

    write_whole(path, render_plan_json(plan))


def has_changed(root: Path, checked: Checked, plan: Plan) -> bool:
    """Whether the last successful run of these interfaces was of another plan (or there was none)."""
    paths = state_paths(root, checked.project.settings.state)
    if not paths.runs.exists():
        return True
    with run_store(paths) as store:
        for run in store.runs(1000):
            if run.status == "succeeded" and set(run.interfaces) >= set(plan.interfaces):
                return run.plan_hash != plan.hash
    return True
