"""The plan for people: requests to the provider, what SQL boxes do with the rows, where they go, and why."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import assert_never

from engine.connector import Read, Request
from engine.diagnostics import plural
from engine.graph import Call, Export, Extract, Import, Respond, Step, StopIf
from engine.plan import BUDGET_DAYS, AffectedQuery, Beside, ConnectionSettings, Plan, ReadBudget, Task, totals

from ..masking import masked
from ..paint import BLUE, BOLD, CYAN, DIM, GREEN, RED, YELLOW, Paint
from .write_text import render_write

_WIDTH = 110


def render_plan_text(
    plan: Plan,
    budgets: Sequence[ReadBudget] = (),
    affected: Sequence[AffectedQuery] = (),
    *,
    colour: bool = False,
    with_sql: bool = True,
) -> str:
    """The whole plan: reads, SQL boxes that an upgraded API version affects, the steps of each interface, skipped
    items, and a summary."""
    paint = Paint(colour)
    known = {budget.connection: budget for budget in budgets}
    blocks = [
        block
        for connection in plan.connections
        for block in _connection(connection, plan, known.get(connection.name), paint)
    ]
    if affected:
        blocks.append("\n".join(_affected(affected, paint)))
    for interface in plan.interfaces:
        tasks = [task for task in plan.tasks if _interface(task.step) == interface]
        if tasks:
            blocks.append(paint(BOLD, interface))
            blocks += ["\n".join(_step(task, paint, with_sql=with_sql)) for task in tasks]
    if plan.skipped:
        lines = [f"  {item.address}: {item.reason}" for item in plan.skipped]
        blocks.append("\n".join([paint(YELLOW, "Skipped"), *lines]))
    blocks.append(_closing(plan, paint))
    return masked("\n\n".join(blocks)) + "\n"


def render_affected_text(affected: Sequence[AffectedQuery], *, colour: bool = False) -> str:
    """Only the affected queries, for an upgrade that breaks some of them so that there is no plan."""
    return masked("\n".join(_affected(affected, Paint(colour)))) + "\n"


def _affected(affected: Sequence[AffectedQuery], paint: Paint) -> Iterator[str]:
    yield paint(BOLD, "SQL boxes affected by the upgraded API version")
    for box in affected:
        verdict = paint(RED, "breaks") if box.errors else paint(YELLOW, "changes") if box.yields else "still binds"
        yield f"  {box.interface}.{box.step}: {verdict}  {paint(DIM, f'{box.file}:{box.line}')}"
        parts = [f"reads {', '.join(box.reads)}", *box.errors]
        parts += [f"column types change: {', '.join(box.yields)}"] if box.yields else []
        for part in parts:
            yield from textwrap.wrap(part, _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _interface(step: Step) -> str | None:
    return None if isinstance(step, Extract) else step.interface


def _connection(connection: ConnectionSettings, plan: Plan, budget: ReadBudget | None, paint: Paint) -> Iterator[str]:
    tasks = [t for t in plan.tasks if isinstance(t.step, Extract) and t.step.connection == connection.name]
    address = {None: "", "sandbox": ", embedded sandbox"}.get(connection.base_url, f", {connection.base_url}")
    mode = f", {connection.mode} mode" if connection.mode else ""
    title = f"{paint(BOLD, connection.name)} ({connection.connector}, API {connection.api_version}{mode}{address})"
    yield title if budget is None else f"{title}\n{_budget(budget, paint)}"
    for task in tasks:
        yield "\n".join(_extract(task, connection.optional, paint))
    beside = [each for each in plan.beside if each.connection == connection.name]
    if beside:
        yield "\n".join(line for each in beside for line in _beside(each, paint))


def _beside(beside: Beside, paint: Paint) -> Iterator[str]:
    """The requests besides the tables."""
    requests = beside.estimate.requests
    about = "requests: known after the first run" if requests is None else f"about {plural(requests, 'request')}"
    yield f"  {paint(GREEN, 'read')} {paint(BOLD, beside.what)}  {paint(DIM, about)}"
    for line in beside.estimate.now:
        yield from textwrap.wrap(line, _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _budget(budget: ReadBudget, paint: Paint) -> str:
    wanted = "requests: known after the first run"
    if budget.estimate is not None:
        wanted = f"about {plural(budget.estimate, 'request')}"
    used = f"{budget.used:,} of {budget.budget:,} used in the last {BUDGET_DAYS} days"
    refused = paint(YELLOW, "; a run requires `--over-budget`") if budget.is_exceeded else ""
    return f"  read budget: {wanted}; {used}{refused}"


def _extract(task: Task, optional: Sequence[str], paint: Paint) -> Iterator[str]:
    if not isinstance(task.step, Extract):
        raise AssertionError("only extracts are reads")
    yield f"  {paint(GREEN, 'read')} {paint(BOLD, task.step.table)}  {paint(DIM, _estimate(task))}"
    for read in task.reads:
        yield from _read(read, task.step.table, paint)
    yield from _now(task)
    if task.fresh:
        yield f"    {paint(DIM, task.fresh)}"
    for name in (read.table for read in task.reads if read.table in optional):
        yield f"    `{name}` is optional: if it cannot be read, the run warns and continues"
    users = ", ".join(dict.fromkeys(step for step, _ in task.step.needs))
    yield f"    {paint(DIM, f'for {users}')}"


def _now(task: Task) -> Iterator[str]:
    for line in task.estimate.now:
        yield from textwrap.wrap(line, _WIDTH, initial_indent="    now: ", subsequent_indent="         ")


def _read(read: Read, table: str, paint: Paint) -> Iterator[str]:
    if not read.requests:
        yield "    no request"
    for request in read.requests:
        yield f"    {paint(CYAN, _request(request))}" + (f"  once per row of {request.per}" if request.per else "")
    reason = read.why if read.table == table else f"{read.table}: {read.why}"
    yield from textwrap.wrap(reason, _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _request(request: Request) -> str:
    query = "&".join(f"{name}={value}" for name, value in request.params.items())
    return f"{request.method} {request.path}" + (f"?{query}" if query else "")


def _estimate(task: Task) -> str:
    requests, rows = task.estimate.requests, task.estimate.rows
    if requests is None:
        return "requests: known after the first run" if rows is None else f"about {plural(rows, 'row')}"
    return f"about {plural(requests, 'request')}" + (f", {plural(rows, 'row')}" if rows is not None else "")


def _step(task: Task, paint: Paint, *, with_sql: bool) -> Iterator[str]:
    step = task.step
    match step:
        case Import():
            target = f"{paint(GREEN, task.action)} {paint(BOLD, step.into)}"
            yield f"  {step.name}: {target}  {paint(DIM, _where(step))}"
        case StopIf() | Respond():
            yield f"  {step.name}: {paint(GREEN, task.action)}  {paint(DIM, _where(step))}"
        case Export() | Call():
            target = step.entity if isinstance(step, Export) else step.function
            named = f"{paint(GREEN, task.action)} {paint(BOLD, f'{step.connection}.{target}')}"
            yield f"  {step.name}: {named}  {paint(DIM, _where(step))}"
        case Extract():
            return
        case _:
            assert_never(step)
    yield from textwrap.wrap(task.reason, _WIDTH, initial_indent="    ", subsequent_indent="    ")
    yield from _now(task)
    sources = [f"{read.namespace}.{read.need.table}" for read in step.box.bound.reads]
    if sources:
        yield f"    from {', '.join(sources)}"
    if isinstance(step, Import):
        yield from _mapping(step, paint)
    if isinstance(step, Export | Call):
        yield from render_write(step, paint)
    if with_sql:
        yield from (f"    {paint(BLUE, '|')} {line}".rstrip() for line in step.box.sql.rstrip().splitlines())


def _mapping(step: Import, paint: Paint) -> Iterator[str]:
    parts = []
    for column in step.mapping:
        origin = column.expr if column.expr is not None else column.source or column.default or "NULL"
        same = column.source is not None and column.source == column.target
        parts.append(column.target if same else f"{column.target} ← {origin}")
    text = ", ".join(parts)
    yield from (
        paint(DIM, line)
        for line in textwrap.wrap(text, _WIDTH, initial_indent="    maps ", subsequent_indent="         ")
    )


def _where(step: Import | StopIf | Respond | Export | Call) -> str:
    return step.box.place.file


def _closing(plan: Plan, paint: Paint) -> str:
    sums = totals(plan)
    requests = "requests: known after the first run"
    if sums.requests is not None:
        requests = f"about {plural(sums.requests, 'request')}"
    return f"{requests}; {plural(sums.tables, 'table')} written; plan {paint(BOLD, plan.hash[:12])}"
