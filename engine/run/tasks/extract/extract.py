"""Extract: one connection's tables through the executor into staging.

Each account is a partition with the payload {account, reads, state}; the connection's config gets
`table_failures: report`. The reads are those that the account's mirror leaves to do (`World.refresh`). A partition
returns files and a `SliceReport`. While the files of one slice are loaded, the next slice is read. All slices of an
account have one timestamp, `read_at`: rows of an earlier slice must not look as if the provider no longer had them. An
account that starts again has a later one.
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
    Failure,
    FailureKind,
    Pace,
    SliceReport,
    decode_slice,
    decode_totals,
)
from engine.plan import Task

from ...budget import ReadMeter
from ...context import RunContext, StoppedError, file_name
from ...outcome import Outcome
from ...ports.executor import Json, OutputFile, Partition, Stage, TaskResult
from ...ports.staging import Drift, Staging
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
    """Tables that the run may skip."""
    failed: dict[str, Failure] = field(default_factory=dict)
    """Tables that cannot be read, and why."""
    drift: dict[tuple[str, str, str], Drift] = field(default_factory=dict)
    warnings: dict[str, None] = field(default_factory=dict)
    """The warnings of the extraction, each once."""
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

    def may_continue(self) -> bool:
        """Whether the read budget allows another slice. If it does not, the tables being read count as failed."""
        self.requests_left = self.meter.left()
        if self.requests_left is None or self.requests_left > 0:
            return True
        self.note_failure(self.meter.spent(), frozenset(read.table for task in self.tasks for read in task.reads))
        return False

    def report(self, partition: str, totals: Mapping[str, Json]) -> None:
        """Record how far an attempt is."""
        self.progress.report(partition, decode_totals(totals))
        self.meter.note()

    def is_stopping(self) -> bool:
        """Whether the slice that is being read is no longer of use."""
        return self.given_up or self.context.is_stopping()


@dataclass(frozen=True, slots=True)
class _Slice:
    """A slice of an account that has ended, with its report or the failure that ended it."""

    partition: str
    account: AccountWork
    files: tuple[OutputFile, ...]
    found: SliceReport | Failure


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
    """Report why nothing happens yet, unless the run is to stop."""
    context.demand_going()
    context.progress(task.id, {}, f"another run reads this connection: {reason}")


def _read_all(extraction: _Extraction, name: str) -> None:
    with ThreadPoolExecutor(1, thread_name_prefix=f"extract {name}") as background:
        coming: Future[list[_Slice]] | None = None
        if not all(account.done for account in extraction.accounts) and extraction.may_continue():
            coming = background.submit(_read_slices, extraction, name)
        try:
            while coming is not None:
                slices = coming.result()
                going_on = _take_note(extraction, slices) and extraction.may_continue()
                coming = background.submit(_read_slices, extraction, name) if going_on else None
                _load(extraction, slices)
        except BaseException:
            extraction.given_up = True
            raise


def _read_slices(extraction: _Extraction, name: str) -> list[_Slice]:
    """One map over the accounts that are not done, in the order of the accounts."""
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
    results = context.world.executor.map(stage, parts, extraction.report, extraction.is_stopping)
    found = [_slice_of(extraction, result) for result in results]
    return sorted(found, key=lambda each: int(each.partition))


def _slice_of(extraction: _Extraction, result: TaskResult) -> _Slice:
    account = extraction.accounts[int(result.partition)]
    found = result.error or decode_slice(result.value)
    return _Slice(result.partition, account, result.files, found)


def _bounded(extraction: _Extraction) -> Mapping[str, Json]:
    """The config of a slice, in which no more requests may be made than the read budget has left."""
    if extraction.requests_left is None:
        return extraction.config
    going = sum(not account.done for account in extraction.accounts)
    return {**extraction.config, "max_slice_requests": max(1, extraction.requests_left // going)}


def _take_note(extraction: _Extraction, slices: Sequence[_Slice]) -> bool:
    """Advance each account; whether anything is left to read. Raises when the connection as a whole fails."""
    for each in slices:
        account = each.account
        if isinstance(each.found, Failure):
            extraction.progress.give_up(each.partition)
            extraction.context.demand_going()
            read_at = extraction.staging.next_read(extraction.context.world.now())
            extraction.note_failure(each.found, account.skip(each.found, read_at))
            continue
        extraction.progress.end(each.partition, each.found.totals)
        extraction.warnings.update(dict.fromkeys(each.found.warnings))
        for failure in each.found.failures:
            extraction.note_failure(failure, account.give_up(failure))
        account.advance(each.found.remaining)
    return any(not account.done for account in extraction.accounts)


def _load(extraction: _Extraction, slices: Sequence[_Slice]) -> None:
    """Commit the files of slices to staging with what they report, and delete the files."""
    by_timestamp: dict[datetime, list[tuple[_Slice, SliceReport]]] = {}
    for each in slices:
        if isinstance(each.found, SliceReport):
            by_timestamp.setdefault(each.account.read_at, []).append((each, each.found))
    for read_at, read in by_timestamp.items():
        _load_read(extraction, read, read_at)


def _load_read(extraction: _Extraction, slices: Sequence[tuple[_Slice, SliceReport]], read_at: datetime) -> None:
    files: list[OutputFile] = []
    coverage: list[Coverage] = []
    changes = Changes()
    for each, found in slices:
        files += each.files
        coverage += [replace(claim, read_at=extraction.begun) for claim in found.coverage]
        changes = _joined(changes, found.changes, each.account, extraction.begun)
    if not files and not coverage and changes == Changes():
        return
    extraction.context.demand_going()
    report = extraction.staging.load(files, coverage, read_at, changes)
    _note_read_at(extraction, coverage, changes)
    extraction.answers.add(coverage)
    for drift in report.drift:
        extraction.drift[drift.table, drift.field, drift.problem] = drift
    for file in files:
        Path(file.path).unlink(missing_ok=True)


def _joined(changes: Changes, found: Changes, account: AccountWork, begun: datetime) -> Changes:
    """The changes with those that a slice found. Its events are consumed without the tables that are skipped."""
    events = tuple(
        replace(each, forget=tuple(sorted({*each.forget, *account.skipped})), read_at=begun) for each in found.events
    )
    return Changes(
        (*changes.gone, *found.gone),
        (*changes.renewed, *found.renewed),
        (*changes.events, *events),
        found.identity or changes.identity,
    )


def _note_read_at(extraction: _Extraction, coverage: Sequence[Coverage], changes: Changes) -> None:
    """Remember the earliest timestamp as of which the connection was read, and warn of holes."""
    timestamps = [*(each.as_of for each in coverage), *(each.until for each in changes.events)]
    if timestamps:
        name = _connection(extraction.tasks[0])
        known = extraction.context.read_at.get(name)
        extraction.context.read_at[name] = min([*timestamps, known] if known else timestamps)
    for claim in changes.events:
        if claim.lost is not None:
            hole = f"{claim.lost:%Y-%m-%d %H:%M} to {claim.until:%Y-%m-%d %H:%M} UTC"
            text = f"events from {hole} can no longer be read: tables that rely on them are read whole"
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
        raise StoppedError(f"`{task.id}` is not an extract")
    return connection
