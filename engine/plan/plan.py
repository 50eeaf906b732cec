"""Plans the graph: what a run of some interfaces would do now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from engine.connector import ACCOUNT, CHANGES, Connector, Need, Read
from engine.graph import SCHEMA_NAMESPACE, Action, Call, Export, Extract, Graph, Import, Respond, Step, StopIf
from engine.project import Connection, Project

from .codec import plan_hash
from .estimates import Known, outlook
from .explanations import why_call, why_export
from .types import Beside, ConnectionSettings, Estimate, Plan, Skipped, Task
from .watermark import why_changed


def plan_graph(
    graph: Graph,
    project: Project,
    connectors: Mapping[str, Connector],
    interfaces: Sequence[str],
    known: Known | None = None,
) -> Plan:
    """The plan for these interfaces (names that the project has). Needs no network and no secret.

    `known` affects only the estimates.
    """
    return _plan(graph, project, connectors, interfaces, _skipped(graph, project, interfaces), known)


def plan_answer(
    step: Respond, project: Project, connectors: Mapping[str, Connector], known: Known | None = None
) -> Plan:
    """The plan for an answer outside of any interface: it reads what its box needs of connections. See `plan_graph`."""
    extracts = tuple(
        Extract(f"{read.namespace}:{read.need.table}", read.namespace, read.need.table, ((step.id, read.need),))
        for read in step.box.bound.reads
        if read.namespace != SCHEMA_NAMESPACE
    )
    graph = Graph((*extracts, step), (step.interface,))
    return _plan(graph, project, connectors, (step.interface,), (), known)


def _plan(
    graph: Graph,
    project: Project,
    connectors: Mapping[str, Connector],
    interfaces: Sequence[str],
    skipped: Sequence[Skipped],
    known: Known | None,
) -> Plan:
    excluded = {item.address for item in skipped}
    steps = [
        step
        for step in graph.steps
        if not isinstance(step, Extract) and step.interface in interfaces and not {step.id, step.interface} & excluded
    ]
    wanted = {step.id for step in steps}
    extracts = _narrowed(graph, wanted)
    reads = _reads(extracts, project, connectors)
    direct = {name for step in steps if (name := connection_of(step)) is not None}
    used = sorted({extract.connection for extract in extracts} | direct)
    settings = tuple(connection_settings(project.connections[name], connectors) for name in used)
    tasks: list[Task] = []
    beside: list[Beside] = []
    for each in settings:
        own = [(extract, reads[extract.id]) for extract in extracts if extract.connection == each.name]
        found = outlook(each, connectors[each.connector], [read for _, listed in own for read in listed], known)
        tasks += _extract_tasks(each, connectors[each.connector], own, found)
        beside += _beside(each.name, found)
    fed: dict[str, list[str]] = {}
    for extract in extracts:
        for step_id, _ in extract.needs:
            fed.setdefault(step_id, []).append(extract.id)
    after = _after(graph, wanted)
    seen = {step.id: _seen(step, settings, known) for step in steps}
    tasks += [_task(step, (*after[step.id], *fed.get(step.id, ())), seen[step.id]) for step in steps]
    names = tuple(name for name in interfaces if name not in excluded)
    plan = Plan(names, settings, tuple(tasks), tuple(skipped), "", tuple(beside))
    return replace(plan, hash=plan_hash(plan))


def plan_of_needs(settings: ConnectionSettings, connector: Connector, needs: Sequence[Need]) -> Plan:
    """A plan that only reads what is needed of one connection: one task per table."""
    by_table: dict[str, list[tuple[str, Need]]] = {}
    for need in needs:
        by_table.setdefault(need.table, []).append(("", need))
    extracts = [Extract(f"{settings.name}:{name}", settings.name, name, tuple(own)) for name, own in by_table.items()]
    reads = _held_by(extracts, connector.plan_reads(needs))
    own = [(each, reads[each.id]) for each in extracts]
    found = outlook(settings, connector, [read for _, listed in own for read in listed], None)
    tasks = tuple(_extract_tasks(settings, connector, own, found))
    plan = Plan((), (settings,), tasks, (), "", tuple(_beside(settings.name, found)))
    return replace(plan, hash=plan_hash(plan))


def _skipped(graph: Graph, project: Project, interfaces: Sequence[str]) -> list[Skipped]:
    found = [
        Skipped(name, "the interface is inactive") for name in interfaces if not project.interfaces[name].spec.is_active
    ]
    for step in graph.steps:
        name = connection_of(step)
        if isinstance(step, Extract) or step.interface not in interfaces or name is None:
            continue
        if not project.connections[name].spec.is_active:
            found.append(Skipped(step.id, f"the connection `{name}` is inactive"))
    return found


def connection_of(step: Step) -> str | None:
    """The connection that a step reads or writes, if any."""
    return step.connection if isinstance(step, Extract | Import | Export | Call) else None


def _narrowed(graph: Graph, wanted: set[str]) -> list[Extract]:
    """The extracts that these steps need, with only their needs."""
    found = []
    for step in graph.steps:
        if isinstance(step, Extract):
            needs = tuple((step_id, need) for step_id, need in step.needs if step_id in wanted)
            if needs:
                found.append(Extract(step.id, step.connection, step.table, needs))
    return found


def _reads(
    extracts: Sequence[Extract], project: Project, connectors: Mapping[str, Connector]
) -> dict[str, tuple[Read, ...]]:
    """The reads of each extract: those of its table, and of parent tables that have no extract."""
    found: dict[str, tuple[Read, ...]] = {extract.id: () for extract in extracts}
    for name in dict.fromkeys(extract.connection for extract in extracts):
        own = [extract for extract in extracts if extract.connection == name]
        needs: list[Need] = [need for extract in own for _, need in extract.needs]
        found |= _held_by(own, connectors[project.connections[name].spec.connector].plan_reads(needs))
    return found


def _held_by(extracts: Sequence[Extract], reads: Sequence[Read]) -> dict[str, tuple[Read, ...]]:
    """The reads by extract; reads of a parent belong to its first child."""
    own = {extract.table: extract.id for extract in extracts}
    found: dict[str, tuple[Read, ...]] = {extract.id: () for extract in extracts}
    for read in reads:
        holder = own.get(read.table) or own[_child_of(read.table, reads, own)]
        found[holder] = (*found[holder], read)
    return found


def _child_of(parent: str, reads: Sequence[Read], own: Mapping[str, str]) -> str:
    """The first table of `own` that is read once per row of `parent`, directly or through others."""
    children = [read.table for read in reads if any(request.per == parent for request in read.requests)]
    for child in children:
        if child in own:
            return child
    for child in children:
        return _child_of(child, reads, own)
    return next(iter(own))


def _extract_tasks(
    settings: ConnectionSettings,
    connector: Connector,
    extracts: Sequence[tuple[Extract, tuple[Read, ...]]],
    estimates: Mapping[str, Estimate],
) -> Iterator[Task]:
    """The reads of one connection as tasks."""
    for extract, reads in extracts:
        own = [estimates[read.table] for read in reads if read.table in estimates]
        main = estimates.get(extract.table, Estimate(None, None))
        requests = [each.requests for each in own]
        total = None if None in requests else sum(number or 0 for number in requests)
        yield Task(
            extract,
            "read",
            next((read.why for read in reads if read.table == extract.table), ""),
            Estimate(total, main.rows, main.now),
            (),
            reads,
            str(connector.freshness(extract.table, settings.reread)),
        )


def _beside(connection: str, estimates: Mapping[str, Estimate]) -> Iterator[Beside]:
    """The requests to the connection besides its tables, if any."""
    for name, what in ((CHANGES, "events"), (ACCOUNT, "account")):
        if name in estimates and estimates[name].requests != 0:
            yield Beside(connection, what, estimates[name])


def _seen(step: Step, settings: Sequence[ConnectionSettings], known: Known | None) -> tuple[str, ...]:
    """A description of the rows that a step over changed rows would read now."""
    if known is None or not isinstance(step, Import) or not step.fingerprint:
        return ()
    own = next(each for each in settings if each.name == step.connection)
    return (why_changed(step, own, known.watermarks.get(step.id), known.positions.get(own.name)),)


def _task(step: Step, needs: Sequence[str], now: tuple[str, ...] = ()) -> Task:
    waits = tuple(dict.fromkeys(needs))
    nothing = Estimate(0, None, now)
    match step:
        case Import():
            return Task(step, step.action.value, _why(step), nothing, waits)
        case StopIf():
            return Task(step, "check", "ends the interface if its value is true", nothing, waits)
        case Respond():
            return Task(step, "answer", "returns its rows to the caller", nothing, waits)
        case Export():
            return Task(step, step.action.value, why_export(step), nothing, waits)
        case Call():
            return Task(step, "call", why_call(step), nothing, waits)
        case Extract():
            raise AssertionError("extracts have tasks of their own")
        case _:
            assert_never(step)


def _after(graph: Graph, wanted: set[str]) -> dict[str, tuple[str, ...]]:
    """The dependencies of each step. Dependents of an excluded step depend on the steps that it depends on."""
    found: dict[str, tuple[str, ...]] = {}
    for step in graph.steps:
        if isinstance(step, Extract):
            continue
        waits: list[str] = []
        for each in step.after:
            waits += [each] if each in wanted else found.get(each, ())
        found[step.id] = tuple(dict.fromkeys(waits))
    return found


def _why(step: Import) -> str:
    matched = ", ".join(target if target == source else f"{target} = {source}" for target, source in step.match)
    by = f"matches rows by {matched}" if matched else "no key: rows are not matched"
    what = {
        Action.INSERT: f"{by}; inserts new rows, rejects existing ones",
        Action.UPDATE: f"{by}; updates existing rows, skips others",
        Action.DELETE: f"{by}; deletes existing rows",
        Action.UPSERT: f"{by}; inserts new rows, updates changed ones",
        Action.REPLACE: "replaces all rows of the table",
    }
    return what[step.action]


def connection_settings(connection: Connection, connectors: Mapping[str, Connector]) -> ConnectionSettings:
    """What a run needs to know about a connection. KeyError for an unknown connector or API version."""
    spec = connection.spec
    version = connectors[spec.connector].catalogue(spec.api_version).api_version
    return ConnectionSettings(
        name=spec.name,
        connector=spec.connector,
        agent=spec.agent,
        timeout_ms=spec.timeout_ms,
        secret=spec.client_secret.reference,
        api_version=version,
        mode=spec.mode,
        base_url=spec.base_url,
        accounts=spec.accounts,
        requests_per_second=spec.limits.requests_per_second,
        read_budget=spec.limits.read_budget,
        writes_live=spec.grants.live,
        reread={table: None if every == "never" else every.total_seconds() for table, every in spec.reread.items()},
        optional=tuple(sorted(set(spec.optional))),
    )


@dataclass(frozen=True, slots=True)
class Totals:
    """The total cost of a plan: None if a part of it cannot be known offline."""

    requests: int | None
    tables: int


def totals(plan: Plan) -> Totals:
    """The sum of the plan's estimates, and the number of tables of the Schema that it writes."""
    numbers = [task.estimate.requests for task in plan.tasks]
    numbers += [each.estimate.requests for each in plan.beside]
    answers = [task.step.answer if isinstance(task.step, Call) else task.step for task in plan.tasks]
    tables = {step.into for step in answers if isinstance(step, Import)}
    return Totals(None if None in numbers else sum(number or 0 for number in numbers), len(tables))
