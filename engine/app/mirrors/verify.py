"""Is the mirror right? Everything that it claims to have is read again, aside, and the two are compared."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from math import ceil
from pathlib import Path
from typing import Final

from engine import duck
from engine.connector import (
    ACCOUNT,
    CHANGES,
    Connector,
    ConnectorError,
    Coverage,
    Mirror,
    Need,
    Pace,
    Predicate,
    Read,
    SourceCatalogue,
    SourceTable,
)
from engine.plan import Beside, ConnectionSettings, Estimate, Known, Plan, outlook, plan_of_needs, totals
from engine.run import EventSink, Run, Staging, StoreError, World, execute_plan

from ..checking.check import Checked, check_project
from ..errors import Exit, RefusalError
from ..running.run import exit_code
from ..running.world import RunOptions, demand_secret, opened_world, refresh_whole
from ..state import StatePaths, utc_now
from ..workspace import Workspace
from .connection import chosen_settings

_PAGE: Final = 100
"""Rows that a request for a list answers at most."""

Sink = Callable[["Plan"], "EventSink"]
"""Asked for where the events of a run go, once there is a plan."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of it: the tables, the requests that were made, how many were expected, and what could not be read."""

    connection: str
    tables: tuple[duck.TableDifference, ...]
    requests: int
    expected: int | None
    unread: Mapping[str, str]

    @property
    def same(self) -> bool:
        """Whether everything was read and nothing differs."""
        return not self.unread and all(table.same for table in self.tables)


def verify_connection(
    workspace: Workspace, name: str, tables: Sequence[str], options: RunOptions, sink: Sink
) -> tuple[Checked, Verification]:
    """Compare the mirror of a connection with what the provider has; `tables` limits it to these.

    The mirror is brought up to date by its changes after the other read, so that what differs then is a mistake, or an
    edit that the provider does not tell of. `sink` gets a plan with estimates. RefusalError when there is nothing to
    compare, it cannot be read, or more would be asked than the read budget has left (Exit.APPROVAL).
    """
    checked = check_project(workspace)
    (settings,) = chosen_settings(workspace, checked, [name])
    catalogue = checked.catalogues[settings.name]
    mirrors = _mirrors(workspace.paths.staging(name), catalogue)
    chosen = {each.table for mirror in mirrors for each in _claims(mirror)}
    if not chosen:
        is_active = checked.project.connections[name].spec.is_active
        hint = "`weir run` reads what interfaces need" if is_active else "it is inactive: runs leave its steps out"
        raise RefusalError(Exit.USAGE, f"nothing of `{name}` was read yet", hint)
    if unknown := sorted(set(tables) - chosen):
        raise RefusalError(Exit.USAGE, f"the mirror of `{name}` has no table `{unknown[0]}`", _there_is(chosen))
    wanted = set(tables) or chosen
    _demand_key(settings, workspace.root, options)
    needs = _needs(catalogue.tables, mirrors, wanted)
    with tempfile.TemporaryDirectory(dir=_scratch(workspace.paths)) as folder:
        return checked, _verify(workspace, checked, settings, needs, mirrors, Path(folder), options, sink)


def _verify(
    workspace: Workspace,
    checked: Checked,
    settings: ConnectionSettings,
    needs: Sequence[Need],
    mirrors: Sequence[Mirror],
    folder: Path,
    options: RunOptions,
    sink: Sink,
) -> Verification:

    catalogue = checked.catalogues[settings.name]
    connector = workspace.connectors[settings.connector]
    plan = plan_of_needs(settings, connector, needs)
    plan = _with_estimates(plan, settings, connector, mirrors, utc_now())
    file = workspace.paths.staging(settings.name)
    aside = duck.DuckStaging(folder / "read.duckdb", catalogue)
    with opened_world(workspace, checked, plan, replace(options, recorded=False)) as world:
        events = sink(plan)
        begun = duck.DuckStaging(file, catalogue).next_read(utc_now())
        runs = [_demand_going(execute_plan(plan, _reading_aside(world, aside, mirrors, connector), events))]
        if any(outcome.status == "succeeded" for outcome in runs[0].outcomes):
            runs.append(_demand_going(execute_plan(plan, replace(world, refresh=_only_changes(world)), events)))
    unread = {table: why for run in runs for table, why in _unread(run).items()}
    found: list[duck.TableDifference] = []
    for mirror in mirrors:
        parts = [each for each in _parts(mirror, catalogue.tables, needs) if each[0].name not in unread]
        if parts:  # otherwise nothing was read, and there is no file of it
            moment = begun.replace(tzinfo=None)
            found += duck.compare_tables(file, aside.path, mirror.account, parts, moment)
    requests = sum(run.counts.get("requests", 0) for run in runs)
    return Verification(settings.name, tuple(found), requests, totals(plan).requests, unread)


def _with_estimates(
    plan: Plan, settings: ConnectionSettings, connector: Connector, mirrors: Sequence[Mirror], now: datetime
) -> Plan:
    """The plan of a comparison with what it will cost: all is read once, then the changes since, for each account.

    How many pages a list has follows from its rows, and how many lists there are below parents from theirs. Of what
    comes inside its parents, the pages beyond theirs are those of lists that were cut there.
    """

    never = dict.fromkeys(each.table for mirror in mirrors for each in mirror.coverage)
    reads = [read for task in plan.tasks for read in task.reads]
    later = outlook(replace(settings, reread=never), connector, reads, Known(now, {settings.name: mirrors}))
    tasks = []
    for task in plan.tasks:
        costs = [_whole(read, mirror) for read in task.reads for mirror in mirrors]
        costs += [later[read.table].requests or 0 for read in task.reads if read.table in later]
        tasks.append(replace(task, estimate=Estimate(sum(costs), None)))
    changes, account = later.get(CHANGES, Estimate(0, None)), later.get(ACCOUNT, Estimate(0, None))
    account = replace(account, requests=2 * (account.requests or 0))
    beside = (Beside(settings.name, "events", changes), Beside(settings.name, "account", account))
    return replace(plan, tasks=tuple(tasks), beside=beside)


def _whole(read: Read, mirror: Mirror) -> int:
    """Requests that read all that the mirror has of a table again."""
    rows = mirror.rows.get(read.table, 0)
    parent = next((request.per for request in read.requests if request.per is not None), None)
    pages = max(1, ceil(rows / _PAGE))
    if parent is None:
        return max(0, len(read.requests) - 1) + pages if read.requests else 0
    own = [each for each in mirror.coverage if each.table == read.table]
    if own and all(each.strategy == "embedded" for each in own):
        inside = sum(each.pages for each in mirror.coverage if each.table == parent)
        return max(0, sum(each.pages for each in own) - inside)
    return max(mirror.rows.get(parent, 0), pages)


def _demand_key(settings: ConnectionSettings, root: Path, options: RunOptions) -> None:
    """RefusalError when there is no key: nothing could be compared."""

    try:
        demand_secret(settings, root, options.environment)
    except ConnectorError as error:
        raise RefusalError(Exit.ENVIRONMENT, error.failure.message, error.failure.hint) from None


def _demand_going(run: Run) -> Run:
    """The run, unless it was stopped or a read budget ended it: then there is nothing to compare (RefusalError)."""
    if run.status == "stopped":
        raise RefusalError(Exit.INTERRUPTED, "the comparison was stopped")
    if exit_code(run) is Exit.APPROVAL:
        spent = next(outcome for outcome in run.outcomes if outcome.code == "E627")
        raise RefusalError(Exit.APPROVAL, spent.message or "", spent.hint)
    return run


def _unread(run: Run) -> dict[str, str]:
    """The tables that could not be read, and why."""
    return {
        outcome.id.partition(":")[2]: outcome.failure.message if outcome.failure else outcome.message or outcome.status
        for outcome in run.outcomes
        if outcome.status != "succeeded" or outcome.failure is not None
    }


def _reading_aside(world: World, aside: Staging, mirrors: Sequence[Mirror], connector: Connector) -> World:
    """The world with another file for what is read: everything, as the mirror's rows were read."""
    by_account = {mirror.account: mirror for mirror in mirrors}
    whole = refresh_whole({connector.name: connector})

    def refresh(settings: ConnectionSettings, reads: Sequence[Read], own: Mirror, pace: Pace) -> Sequence[Read]:
        known = by_account.get(own.account, own)
        return whole(settings, reads, known, replace(pace, events=False))

    return replace(world, staging=lambda _settings: aside, refresh=refresh)


def _only_changes(
    world: World,
) -> Callable[[ConnectionSettings, Sequence[Read], Mirror, Pace], Sequence[Read]]:
    """The mirror goes on with what has changed; nothing is read whole only because it is time to."""

    def refresh(settings: ConnectionSettings, reads: Sequence[Read], mirror: Mirror, pace: Pace) -> Sequence[Read]:
        never = dict.fromkeys(each.table for each in mirror.coverage)
        return world.refresh(settings, reads, mirror, replace(pace, reread=never))

    return refresh


def _mirrors(file: Path, catalogue: SourceCatalogue) -> tuple[Mirror, ...]:

    try:
        return duck.DuckStaging(file, catalogue).mirrors()
    except StoreError as error:
        raise RefusalError(Exit.BUSY, error.message, error.hint) from None


def _claims(mirror: Mirror) -> Iterable[Coverage]:
    return (each for each in mirror.coverage if each.complete)


def _needs(tables: Mapping[str, SourceTable], mirrors: Sequence[Mirror], wanted: set[str]) -> tuple[Need, ...]:
    """What the mirrors claim to have of the wanted tables, as needs."""

    found: dict[Need, None] = {}
    for mirror in mirrors:
        for each in _claims(mirror):
            if each.table in wanted:
                found[Need(each.table, (), _conjunctions(each, tables[each.table]))] = None
    return tuple(found)


def _parts(
    mirror: Mirror, tables: Mapping[str, SourceTable], needs: Sequence[Need]
) -> list[tuple[SourceTable, tuple[tuple[Predicate, ...], ...]]]:
    """The tables of an account, each with the part that the mirror claims to have."""
    names = {need.table for need in needs}
    found: dict[str, list[tuple[Predicate, ...]]] = {}
    for each in _claims(mirror):
        if each.table in names:
            found.setdefault(each.table, []).extend(_conjunctions(each, tables[each.table]))
    return [(tables[name], tuple(where)) for name, where in sorted(found.items())]


def _conjunctions(coverage: Coverage, table: SourceTable) -> tuple[tuple[Predicate, ...], ...]:
    """The rows that a coverage speaks of."""
    window = coverage.window.predicates(table.created or "")
    return tuple((*window, *case) for case in coverage.where)


def _there_is(names: Iterable[str]) -> str:
    return f"there is {', '.join(f'`{name}`' for name in sorted(names)) or 'none'}"


def _scratch(paths: StatePaths) -> Path:
    paths.scratch.mkdir(parents=True, exist_ok=True)
    return paths.scratch
