"""What a case gives of providers: mirrors that hold its rows and leave nothing to read."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NoReturn

from engine import duck
from engine.app.state import StatePaths, utc_now
from engine.connector import (
    EVERYTHING,
    Coverage,
    Mirror,
    Pace,
    Read,
    SourceCatalogue,
    SpooledAnswers,
    WriteCounts,
    WriteHooks,
    WriteRequest,
    WriteResult,
)
from engine.connector.spool import SpoolWriter
from engine.graph import Extract
from engine.plan import ConnectionSettings, Plan
from engine.project import Case
from engine.run import Json, OutputFile

_ROWS_A_PAGE: Final = 100
_ACCOUNT, _LIVE_MODE = "_account", "_livemode"


def stage_rows(case: Case, plan: Plan, catalogues: Mapping[str, SourceCatalogue], paths: StatePaths) -> Given:
    """Put the rows of the case into the mirrors that its plan reads, by the way that pages of a provider take.

    Every table that is read is whole afterwards, whether the case gives rows of it or not.
    """

    now = utc_now()
    accounts: dict[str, tuple[str | None, ...]] = {}
    for settings in plan.connections:
        catalogue, given = catalogues[settings.name], case.sources.get(settings.name, {})
        known = {str(row.get(_ACCOUNT) or "") for rows in given.values() for row in rows}
        own = sorted(known) or [""]
        accounts[settings.name] = tuple(account or None for account in own)
        tables = sorted(_read_of(plan, settings.name) | given.keys())
        folder = paths.spool / "given" / settings.name
        folder.mkdir(parents=True)
        files = list(_spooled(given, settings.api_version, folder))
        coverage = [_whole(account, table, settings.api_version, now) for account in own for table in tables]
        file = paths.staging(settings.name)
        file.parent.mkdir(parents=True, exist_ok=True)
        duck.DuckStaging(file, catalogue).load(files, coverage, now)
    return Given(accounts)


def _read_of(plan: Plan, connection: str) -> set[str]:
    """The tables that the plan reads of a connection."""

    found: set[str] = set()
    for task in plan.tasks:
        if isinstance(task.step, Extract) and task.step.connection == connection:
            found |= {task.step.table, *(read.table for read in task.reads)}
    return found


def _spooled(given: Mapping[str, Sequence[Mapping[str, Any]]], api_version: str, folder: Path) -> Iterable[OutputFile]:
    """A file for the rows of each table, account and mode."""

    for table, rows in given.items():
        parts: dict[tuple[str, bool], list[Mapping[str, Any]]] = defaultdict(list)
        for row in rows:
            parts[str(row.get(_ACCOUNT) or ""), bool(row.get(_LIVE_MODE))].append(row)
        for number, ((account, live), own) in enumerate(parts.items()):
            writer = SpoolWriter(folder / f"{table}-{number}.spool")
            for start in range(0, len(own), _ROWS_A_PAGE):
                page = [_object(row) for row in own[start : start + _ROWS_A_PAGE]]
                writer.write(json.dumps({"data": page}, ensure_ascii=False).encode(), len(page))
            writer.close()
            meta: dict[str, Json] = {
                "account": account,
                "livemode": live,
                "api_version": api_version,
                "source": "list",
                "extra": False,
            }
            yield OutputFile(str(writer.path), writer.rows, table, meta)


def _object(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in row.items() if name not in (_ACCOUNT, _LIVE_MODE)}


def _whole(account: str, table: str, api_version: str, now: datetime) -> Coverage:

    return Coverage(account, table, EVERYTHING, ((),), now, "list", api_version, 1, 0, complete=True)


@dataclass(frozen=True, slots=True)
class Given:
    """In place of providers: `accounts` are those that the case gives rows of. Nothing is ever asked, and no secret."""

    accounts_of: Mapping[str, tuple[str | None, ...]]

    def __call__(self, settings: ConnectionSettings) -> tuple[str, Mapping[str, Json]]:  # noqa: ARG002
        """A stage that is never begun: there is nothing to read."""
        return "", {}

    def accounts(self, settings: ConnectionSettings, sent: Callable[[int], None]) -> Sequence[str | None]:  # noqa: ARG002
        """The accounts that have rows, or the key's own."""
        return self.accounts_of[settings.name]

    def writer(self, settings: ConnectionSettings) -> NoWriter:  # noqa: ARG002
        """What a step gets that would write."""
        return NoWriter()


def nothing_to_read(
    settings: ConnectionSettings,  # noqa: ARG001
    reads: Sequence[Read],  # noqa: ARG001
    mirror: Mirror,  # noqa: ARG001
    pace: Pace,  # noqa: ARG001
) -> Sequence[Read]:
    """See `World.refresh`: what a case gives is all that there is."""
    return ()


class NoWriter:
    """A `Writer` that is never used: a case is only planned, row by row."""

    def write(self, requests: Sequence[WriteRequest], hooks: WriteHooks) -> WriteCounts:  # noqa: ARG002
        """See `Writer.write`."""
        _refuse()

    def read(self, table: str, ids: Sequence[str]) -> Sequence[WriteResult]:  # noqa: ARG002
        """See `Writer.read`."""
        _refuse()

    def renew(self, answers: Sequence[tuple[str, bytes]]) -> Sequence[tuple[str, bytes]]:  # noqa: ARG002
        """See `Writer.renew`."""
        _refuse()

    def spool(self, answers: Sequence[tuple[str, bytes]], folder: Path) -> SpooledAnswers:  # noqa: ARG002
        """See `Writer.spool`."""
        _refuse()


def _refuse() -> NoReturn:
    raise AssertionError("a case never reaches a provider")
