"""What a run touches, wired: executor, staging, boxes, tables, run state, secrets, clock."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from engine import duck, executors
from engine.connector import Connector, ConnectorError, Failure, Mirror, Pace, Read, SourceCatalogue, Writer
from engine.connector.sandbox import SANDBOX
from engine.connector.secrets import resolve_secret
from engine.graph import Import
from engine.plan import ConnectionSettings, Plan, StepWrites
from engine.run import (
    BoxLimits,
    BoxRunner,
    Exports,
    InitialRows,
    Json,
    ReadLedger,
    RunStore,
    Staging,
    World,
    WriteLedger,
    describe_process,
    process_is_alive,
)

from ..checking.check import Checked
from ..git import git_commit, user_name
from ..state import StatePaths, utc_now
from ..workspace import Workspace
from .sandbox import SandboxAddress, embedded_sandbox

_MEGABYTE = 2**20
_PARALLEL_TASKS = 4


@dataclass(frozen=True, slots=True)
class GivenRows:
    """Rows for a table of the Schema, in place of all that it has. Each value is text as DuckDB casts it, or None."""

    table: str
    rows: tuple[Mapping[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run is done. `isolated` puts each SQL box into a child process."""

    isolated: bool
    environment: Mapping[str, str]
    cancelled: threading.Event
    recorded: bool = True
    """Whether the run is kept in the history; a query is not."""
    accept_deletes: bool = False
    """Whether many rows of a mirror may be found gone."""
    rebuild: bool = False
    """Whether steps that read changed rows read all of them."""
    full: bool = False
    """Whether everything that is needed is read whole, whatever the mirror has."""
    over_budget: bool = False
    """Whether it may pass the read budgets of its connections."""
    run_id: str | None = None
    """The run's id; None: a new one."""
    only_plan: bool = False
    """Whether nothing is written: neither to providers, nor to the Schema's own file."""
    expected: Mapping[str, StepWrites] | None = None
    """By step, what may be written to providers: exactly that, or nothing."""
    by: str | None = None
    """Who has it run, for the history; None: whoever runs the process."""
    rows: tuple[GivenRows, ...] = ()
    """What tables of the Schema hold from the run's beginning on."""


Refresh = Callable[["ConnectionSettings", "Sequence[Read]", "Mirror", "Pace"], "Sequence[Read]"]
"""What is to be read of a mirror now: see `World.refresh`."""


class Outside(Protocol):
    """What a run reaches of providers."""

    def __call__(self, settings: ConnectionSettings) -> tuple[str, Mapping[str, Json]]:
        """See `World.extraction`."""
        ...

    def accounts(self, settings: ConnectionSettings, sent: Callable[[int], None]) -> Sequence[str | None]:
        """See `World.accounts`."""
        ...

    def writer(self, settings: ConnectionSettings) -> Writer:
        """See `Exports.writer`."""
        ...


@dataclass(frozen=True, slots=True)
class Kept:
    """What runs keep beside rows: `runs` of the runs themselves, `reads` of requests, `ledger` of writes."""

    runs: RunStore
    reads: ReadLedger
    ledger: WriteLedger


@contextmanager
def opened_world(
    workspace: Workspace,
    checked: Checked,
    plan: Plan,
    options: RunOptions,
    outside: Outside | None = None,
    kept: Kept | None = None,
) -> Iterator[World]:
    """Everything for a run of this plan; the embedded sandbox runs as long as it is open, if the plan needs it.

    With something else `outside`, no provider, sandbox or secret is reached; what is `kept` elsewhere is not opened.
    RefusalError when a read budget would be passed (Exit.APPROVAL), or state cannot be opened.
    """

    paths, settings = workspace.paths, checked.project.settings
    if outside is None and not options.over_budget:
        workspace.demand_budget(plan)
    paths.prepare()
    with ExitStack() as stack:
        is_kept = options.recorded and not options.only_plan
        own = workspace if is_kept else stack.enter_context(workspace.aside())
        kept = kept or Kept(own.runs(), workspace.runs(), workspace.ledger())
        commit = git_commit(workspace.root) if is_kept else None
        needs_sandbox = outside is None and any(each.base_url == SANDBOX for each in plan.connections)
        sandbox = stack.enter_context(embedded_sandbox(options.environment, paths.sandbox)) if needs_sandbox else None
        reached = outside or _Extraction(workspace.root, sandbox, options.environment, workspace.connectors)
        executor = executors.InlineExecutor(settings.boxes.threads * 2)
        stack.callback(executor.close)
        started = utc_now()
        tables = _schema_copy(paths, own.paths, plan) if options.only_plan else paths.tables
        yield World(
            now=utc_now,
            executor=executor,
            staging=_opener(paths, checked.catalogues, options),
            extraction=reached,
            accounts=reached.accounts,
            boxes=_boxes(checked, paths, tables, options),
            fetch=duck.fetch_rows,
            tables=duck.DuckTableStore(tables, memory_bytes=settings.boxes.memory_mb * _MEGABYTE),
            runs=kept.runs,
            reads=kept.reads,
            exports=_exports(reached, checked.catalogues, options, box_limits(checked), kept.ledger),
            directory=own.paths.folder,
            limits=box_limits(checked),
            owner=describe_process(started),
            is_alive=process_is_alive,
            new_id=new_run_id if options.run_id is None else lambda _: str(options.run_id),
            user=options.by or user_name(),
            commit=commit,
            cancelled=options.cancelled.is_set,
            parallel=_PARALLEL_TASKS,
            reject_limit=settings.policy.reject_limit,
            refresh=(refresh_whole if options.full else _refresh)(workspace.connectors),
            over_budget=options.over_budget,
            rebuild=options.rebuild,
            initial=tuple(_initial(checked, each) for each in options.rows),
        )


def _initial(checked: Checked, given: GivenRows) -> InitialRows:

    table = checked.project.tables[given.table]
    return InitialRows(
        given.table, table.relation, table.key, lambda target: duck.write_rows(target, table.relation, given.rows)
    )


def box_limits(checked: Checked) -> BoxLimits:
    """How much a SQL box of this project may take."""

    boxes = checked.project.settings.boxes
    return BoxLimits(boxes.memory_mb * _MEGABYTE, boxes.seconds, boxes.threads, boxes.temp_mb * _MEGABYTE)


def new_run_id(now: datetime) -> str:
    """An id that sorts by time and is not given twice."""
    return f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"


@dataclass(frozen=True, slots=True)
class _Extraction:
    """Names the stage of a connection and its config, which holds where the secret is, never the secret."""

    root: Path
    sandbox: SandboxAddress | None
    environment: Mapping[str, str]
    connectors: Mapping[str, Connector]

    def __call__(self, settings: ConnectionSettings) -> tuple[str, Mapping[str, Json]]:
        """See `World.extraction`."""
        demand_secret(settings, self.root, self.environment)
        config = {**connection_config(settings, self.root, self.sandbox), "identify": True}
        return self.connectors[settings.connector].stage, config

    def accounts(self, settings: ConnectionSettings, sent: Callable[[int], None]) -> Sequence[str | None]:
        """See `World.accounts`. Those of `all` are asked for; `ConnectorError` when that fails."""
        if settings.accounts is None:
            return (None,)
        if settings.accounts != "all":
            return settings.accounts
        config = connection_config(settings, self.root, self.sandbox)
        return self.connectors[settings.connector].accounts(config, sent)

    def writer(self, settings: ConnectionSettings) -> Writer:
        """See `Exports.writer`."""
        demand_secret(settings, self.root, self.environment)
        config = connection_config(settings, self.root, self.sandbox)
        return self.connectors[settings.connector].writer({**config, "writes_live": settings.writes_live})


def connection_config(settings: ConnectionSettings, root: Path, sandbox: SandboxAddress | None) -> dict[str, Json]:
    """The connector's settings as JSON. For the embedded sandbox both address and secret are the sandbox's own, so
    that a real key is never sent there."""
    address, secret = settings.base_url, settings.secret
    if address == SANDBOX:
        if sandbox is None:
            raise AssertionError("the embedded sandbox runs whenever a connection of the plan needs it")
        address, secret = sandbox.url, (SANDBOX, "")
    return {
        "api_version": settings.api_version,
        "secret": list(secret),
        "base_url": address,
        "timeout_ms": settings.timeout_ms,
        "mode": settings.mode if settings.base_url != SANDBOX else None,
        "requests_per_second": settings.requests_per_second,
        "base": str(root),
    }


def demand_secret(settings: ConnectionSettings, root: Path, environment: Mapping[str, str]) -> None:
    """ConnectorError when the secret is plainly not there, before anything is begun.

    Keyrings and commands are left to the extraction: they may ask their user something, once.
    """

    if settings.base_url == SANDBOX or settings.secret[0] not in ("env", "file"):
        return
    found = resolve_secret(*settings.secret, environment, base=root)
    if isinstance(found, Failure):
        raise ConnectorError(found)


def _refresh(connectors: Mapping[str, Connector]) -> Refresh:
    """What these connectors read again."""

    def refresh(settings: ConnectionSettings, reads: Sequence[Read], mirror: Mirror, pace: Pace) -> Sequence[Read]:
        return connectors[settings.connector].refresh(reads, mirror, pace)

    return refresh


def refresh_whole(connectors: Mapping[str, Connector]) -> Refresh:
    """What these connectors read again, when all of the tables must be read again.

    What the mirror has of them is kept current meanwhile: the run may end before they are read.
    """
    ordinary = _refresh(connectors)

    def refresh(settings: ConnectionSettings, reads: Sequence[Read], mirror: Mirror, pace: Pace) -> Sequence[Read]:
        due = {**pace.reread, **{read.table: 0.0 for read in reads}}
        return ordinary(settings, reads, mirror, replace(pace, reread=due))

    return refresh


def _opener(
    paths: StatePaths, catalogues: Mapping[str, SourceCatalogue], options: RunOptions
) -> Callable[[ConnectionSettings], Staging]:

    def opened(settings: ConnectionSettings) -> Staging:
        file = paths.staging(settings.name)
        file.parent.mkdir(parents=True, exist_ok=True)
        return duck.DuckStaging(file, catalogues[settings.name], accept_deletes=options.accept_deletes)

    return opened


def _exports(
    reached: Outside,
    catalogues: Mapping[str, SourceCatalogue],
    options: RunOptions,
    limits: BoxLimits,
    ledger: WriteLedger,
) -> Exports:

    return Exports(duck.DuckExporter(catalogues, limits), reached.writer, ledger, options.only_plan, options.expected)


def _schema_copy(paths: StatePaths, own: StatePaths, plan: Plan) -> Path:
    """The file of the Schema, for a run that only plans: a copy where a step would write it before others read it."""

    if not any(isinstance(task.step, Import) for task in plan.tasks):
        return paths.tables
    if paths.tables.exists():
        duck.copy_file(paths.tables, own.tables)
    return own.tables


def _boxes(checked: Checked, paths: StatePaths, tables: Path, options: RunOptions) -> BoxRunner:

    kind = duck.IsolatedBoxRunner if options.isolated else duck.DuckBoxRunner
    schema = {table.name: table.relation for table in checked.project.tables.values()}
    stagings = {name: paths.staging(name) for name in checked.catalogues}
    return kind(stagings, checked.catalogues, tables, schema, cancelled=options.cancelled.is_set)
