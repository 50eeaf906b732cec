"""Extract: one connection's tables through the executor into staging.

Each account is a partition with the payload {account, reads, state}; the connection's config gets
`table_failures: report`. The reads are those that the account's mirror leaves to do (`World.refresh`). A partition
answers with files and a value: `coverage` (what the files cover), `gone`, `renewed` and `events` (`Changes`),
`remaining` (the state of the next slice, or null), `failures` (tables that were given up), `warnings` (texts) and its
totals. While the files of one slice are loaded, the next slice is on its way. All slices of an account carry one
instant, `read_at`: rows of an earlier slice must not look as if the provider no longer had them. An account that begins
again has a later one.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path

import msgspec

from engine.connector import (
    CHANGES,
    Changes,
    Coverage,
    EventClaim,
    Failure,
    FailureKind,
    Gone,
    Identity,
    Pace,
    Renewed,
)
from engine.plan import Task

from ...budget import ReadMeter
from ...context import RunContext, StoppedError, file_name
from ...outcome import Outcome
from ...ports.executor import Json, OutputFile, Partition, Stage, TaskResult
from ...ports.records import Drift, Staging
from .account import AccountWork
from .answers import Answers
from .optional import is_accepted, without_table
from .progress import Progress


@dataclass
class _Extraction:
    """The tables of one connection, while they are read."""

    tasks: Sequence[Task]
    context: RunContext
    staging: Staging
    function: str
    config: Mapping[str, Json]
    accounts: list[AccountWork]
    root: Path
    begun: datetime
    progress: Progress
    answers: Answers
    meter: ReadMeter
    optional: frozenset[str]
    """Tables that the run may go on without."""
    failed: dict[str, Failure] = field(default_factory=dict)
    """Tables that cannot be read, and why."""
    drift: dict[tuple[str, str, str], Drift] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)
    """What the extraction said, each once."""
    requests_left: int | None = None
    slices: int = 0
    given_up: bool = False

    def note_failure(self, failure: Failure, gone: frozenset[str]) -> None:
        """These tables are given up because of the failure; those that the plan does not want fail nothing."""
        wanted = {read.table for task in self.tasks for read in task.reads}
        for name in gone & wanted:
            self.failed.setdefault(name, failure)
        if not gone & wanted:
            what = "events cannot be read" if failure.table == CHANGES else f"`{failure.table}` is not kept current"
            self.warnings[f"{what}: {failure.message}"] = None

    def may_go_on(self) -> bool:
        """Whether the read budget allows another slice. If it does not, what is being read counts as failed."""
        self.requests_left = self.meter.left()
        if self.requests_left is None or self.requests_left > 0:
            return True
        self.note_failure(self.meter.spent(), frozenset(read.table for task in self.tasks for read in task.reads))
        return False

    def report(self, partition: str, totals: Mapping[str, Json]) -> None:
        """An attempt has come so far."""
        self.progress.report(partition, totals)
        self.meter.note()

    def is_stopping(self) -> bool:
        """Whether the slice that is being read is of no use any more."""
        return self.given_up or self.context.is_stopping()


def extract(tasks: Sequence[Task], context: RunContext, started: Mapping[str, datetime]) -> tuple[Outcome, ...]:
    """Read the tables of one connection. A table that cannot be read fails alone where that is possible."""
    settings = context.connections[_connection(tasks[0])]
    stage = context.world.extraction(settings)
    progress = Progress(tasks, context)
    meter = ReadMeter(settings, context.world, progress.totals)
    try:
        names = context.world.accounts(settings, progress.count_account)
        context.mirrors.take(lambda reason: _wait(tasks[0], context, reason))
        with closing(context.world.staging(settings)) as staging:
            extraction = _begun(tasks, context, staging, stage, names, progress, meter)
            try:
                _read_all(extraction, settings.name)
            finally:
                shutil.rmtree(extraction.root, ignore_errors=True)
    finally:
        context.reads[settings.name] = meter.figures()
    return tuple(_outcome(task, extraction, started[task.id]) for task in tasks)


def _begun(
    tasks: Sequence[Task],
    context: RunContext,
    staging: Staging,
    stage: tuple[str, Mapping[str, Json]],
    names: Sequence[str | None],
    progress: Progress,
    meter: ReadMeter,
) -> _Extraction:
    """What there is to read of these accounts, given what the mirror has."""
    settings = context.connections[_connection(tasks[0])]
    now = context.world.now()
    pace = Pace(now, settings.reread)
    refresh = partial(context.world.refresh, settings)
    reads = tuple(read for task in tasks for read in task.reads)
    read_at = staging.next_read(now)
    accounts = [AccountWork(name, reads, staging.mirror(name or ""), pace, refresh, read_at) for name in names]
    for account in accounts:
        account.begin()
    return _Extraction(
        tasks=tasks,
        context=context,
        staging=staging,
        function=stage[0],
        config={**stage[1], "table_failures": "report"},
        accounts=accounts,
        root=context.spool / file_name(settings.name),
        begun=now,
        progress=progress,
        answers=Answers(staging.coverage()),
        meter=meter,
        optional=frozenset(settings.optional),
    )


def _wait(task: Task, context: RunContext, reason: str) -> None:
    """Tell why nothing happens yet, unless the run is to stop."""
    context.demand_going()
    context.progress(task.id, {}, f"another run reads this connection: {reason}")


def _read_all(extraction: _Extraction, name: str) -> None:
    with ThreadPoolExecutor(1, thread_name_prefix=f"extract {name}") as background:
        coming: Future[list[TaskResult]] | None = None
        if not all(account.done for account in extraction.accounts) and extraction.may_go_on():
            coming = background.submit(_read_slice, extraction, name)
        try:
            while coming is not None:
                results = coming.result()
                going_on = _take_note(extraction, results) and extraction.may_go_on()
                coming = background.submit(_read_slice, extraction, name) if going_on else None
                _load(extraction, results)
        except BaseException:
            extraction.given_up = True
            raise


def _read_slice(extraction: _Extraction, name: str) -> list[TaskResult]:
    """One map over the accounts that are not done; its results in the order of the accounts."""
    context = extraction.context
    context.demand_going()
    extraction.slices += 1
    stage = Stage(
        id=f"{name}-{extraction.slices}",
        function=extraction.function,
        config=_bounded(extraction),
        root=extraction.root / str(extraction.slices),
    )
    parts = [
        Partition(
            id=str(index),
            payload={
                "account": account.account,
                "reads": msgspec.to_builtins(account.reads),
                "state": account.state,
            },
            rate_domain=f"{name}/{account.account or ''}",
        )
        for index, account in enumerate(extraction.accounts)
        if not account.done
    ]
    found = context.world.executor.map(stage, parts, extraction.report, extraction.is_stopping)
    return sorted(found, key=lambda result: int(result.partition))


def _bounded(extraction: _Extraction) -> Mapping[str, Json]:
    """The config of a slice, in which no more requests may be made than the read budget has left."""
    if extraction.requests_left is None:
        return extraction.config
    going = sum(not account.done for account in extraction.accounts)
    return {**extraction.config, "max_slice_requests": max(1, extraction.requests_left // going)}


def _take_note(extraction: _Extraction, results: Sequence[TaskResult]) -> bool:
    """Move each account on; whether anything is left to read. Raises when the connection as a whole fails."""
    for result in results:
        account = extraction.accounts[int(result.partition)]
        if result.error is not None:
            extraction.progress.give_up(result.partition)
            extraction.context.demand_going()
            read_at = extraction.staging.next_read(extraction.context.world.now())
            extraction.note_failure(result.error, account.leave_out(result.error, read_at))
            continue
        value = _value(result)
        extraction.progress.end(result.partition, value)
        extraction.warnings.update(dict.fromkeys(msgspec.convert(value.get("warnings") or [], list[str])))
        for failure in msgspec.convert(value.get("failures") or [], list[Failure]):
            extraction.note_failure(failure, account.give_up(failure))
        account.go_on(value.get("remaining"))
    return any(not account.done for account in extraction.accounts)


def _value(result: TaskResult) -> Mapping[str, Json]:
    return result.value if isinstance(result.value, Mapping) else {}


def _load(extraction: _Extraction, results: Sequence[TaskResult]) -> None:
    """Commit the files of a slice to staging with what it says of them, and delete the files."""
    by_moment: dict[datetime, list[TaskResult]] = {}
    for result in results:
        if result.error is None:
            moment = extraction.accounts[int(result.partition)].read_at
            by_moment.setdefault(moment, []).append(result)
    for moment, read in by_moment.items():
        _load_read(extraction, read, moment)


def _load_read(extraction: _Extraction, results: Sequence[TaskResult], read_at: datetime) -> None:
    files: list[OutputFile] = []
    coverage: list[Coverage] = []
    changes = Changes()
    for result in results:
        files += result.files
        value = _value(result)
        claims = msgspec.convert(value.get("coverage") or [], list[Coverage], strict=False)
        coverage += [replace(each, read_at=extraction.begun) for each in claims]
        changes = _joined(changes, value, extraction.accounts[int(result.partition)], extraction.begun)
    if not files and not coverage and changes == Changes():
        return
    extraction.context.demand_going()
    report = extraction.staging.load(files, coverage, read_at, changes)
    _note_moments(extraction, coverage, changes)
    extraction.answers.add(coverage)
    for drift in report.drift:
        extraction.drift[drift.table, drift.field, drift.problem] = drift
    for file in files:
        Path(file.path).unlink(missing_ok=True)


def _joined(changes: Changes, value: Mapping[str, Json], account: AccountWork, begun: datetime) -> Changes:
    """The changes with those of a slice. Its events are passed over without the tables that were left out."""
    events = tuple(
        replace(each, forget=tuple(sorted({*each.forget, *account.left_out})), read_at=begun)
        for each in msgspec.convert(value.get("events") or [], tuple[EventClaim, ...])
    )
    return Changes(
        (*changes.gone, *msgspec.convert(value.get("gone") or [], tuple[Gone, ...])),
        (*changes.renewed, *msgspec.convert(value.get("renewed") or [], tuple[Renewed, ...])),
        (*changes.events, *events),
        msgspec.convert(value.get("identity"), Identity | None) or changes.identity,
    )


def _note_moments(extraction: _Extraction, coverage: Sequence[Coverage], changes: Changes) -> None:
    """Remember the earliest moment that the connection was read as of, and tell of holes."""
    moments = [*(each.as_of for each in coverage), *(each.until for each in changes.events)]
    if moments:
        name = _connection(extraction.tasks[0])
        known = extraction.context.read_at.get(name)
        extraction.context.read_at[name] = min([*moments, known] if known else moments)
    for claim in changes.events:
        if claim.lost is not None:
            hole = f"{claim.lost:%Y-%m-%d %H:%M} to {claim.until:%Y-%m-%d %H:%M} UTC"
            text = f"events from {hole} could not be read any more: tables that rely on them are read whole"
            extraction.warnings[text] = None


def _outcome(task: Task, extraction: _Extraction, started: datetime) -> Outcome:
    tables = {read.table for read in task.reads}
    counts = extraction.progress.counts(task.id)
    accepted: tuple[str, Failure] | None = None
    for read in task.reads:
        failure = extraction.failed.get(read.table)
        if failure is not None and is_accepted(failure, read.table, extraction.optional):
            accepted = accepted or (read.table, failure)
        elif failure is not None:
            return extraction.context.outcome(
                task.step,
                "failed",
                started,
                counts=counts,
                code="E627" if failure.kind is FailureKind.BUDGET else "E621",
                message=failure.message,
                hint=failure.hint,
                failure=failure,
            )
    return extraction.context.outcome(
        task.step,
        "succeeded",
        started,
        counts=counts,
        message="not read: it is optional" if accepted is not None else None,
        failure=accepted[1] if accepted is not None else None,
        warnings=(
            *(extraction.warnings if task is extraction.tasks[0] else ()),
            *extraction.answers.emptied(tables),
            *((without_table(*accepted),) if accepted is not None else ()),
        ),
        drift=tuple(drift for drift in extraction.drift.values() if drift.table in tables),
    )


def _connection(task: Task) -> str:
    connection = getattr(task.step, "connection", None)
    if not isinstance(connection, str):
        raise StoppedError(f"`{task.id}` is no extract")
    return connection
