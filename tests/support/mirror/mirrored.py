"""A mirror of a shop, synchronized as by `weir run`: plan, mirror, extraction over HTTP, staging."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

from engine.app.running.world import refresh_whole
from engine.connector import Mirror, Need, Pace, Read
from engine.connector.sandbox import SANDBOX_KEY
from engine.connectors.stripe import CONNECTOR
from engine.connectors.stripe.catalogue import load_catalogue
from engine.duck import DuckBoxRunner, DuckStaging, DuckTableStore, fetch_rows
from engine.executors import InlineExecutor
from engine.plan import ConnectionSettings, plan_of_needs
from engine.run import (
    BoxLimits,
    World,
    describe_process,
    execute_plan,
    process_is_alive,
)
from engine.run.outcome import Run
from engine.testing.dying_staging import Crash, DyingStaging
from engine.testing.fakes import MemoryRunStore, RunMemory
from tests.support.mirror.comparison import live_of
from tests.support.mirror.shop import Shop

CATALOGUE = CONNECTOR.catalogue(None)
FAST = {"first": 0.0005, "longest": 0.002, "tries": 6}


class Mirrored:
    """The mirror of some tables of a shop. `skew`: seconds by which this machine's clock is ahead of the shop's.

    `config` is passed to the extraction (`max_slice_bytes`, `concurrency` …).
    """

    def __init__(
        self, folder: Path, shop: Shop, tables: Sequence[str], *, accounts: tuple[str, ...] | None = None,
        skew: float = 0.0, **config: Any,
    ) -> None:  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.shop = shop
        self.tables = tuple(tables)
        self.accounts = accounts
        self.config = config
        self.skew = skew
        self.reread: dict[str, float | None] = {}
        self.optional: tuple[str, ...] = ()
        self._ticks = itertools.count()
        self._memory = RunMemory()
        self.use_key(SANDBOX_KEY)

    @property
    def path(self) -> Path:
        """The staging file."""
        return self.folder / "staging.duckdb"

    def use_key(self, key: str) -> None:
        """Read with this key from now on. Clients with the sandbox's own key do not share limits."""
        (self.folder / "key").write_text(key)
        self.secret = ("sandbox", "") if key == SANDBOX_KEY else ("file", "key")

    def now(self) -> datetime:
        """This machine's time; strictly increasing."""
        return datetime.fromtimestamp(self.shop.now + self.skew, UTC) + timedelta(microseconds=next(self._ticks))

    def sync(
        self, *, full: bool = False, crash: Crash | None = None, cancelled: Callable[[], bool] = lambda: False,
        tables: Sequence[str] | None = None, accept_deletes: bool = True, needs: Sequence[Need] = (), **config: Any,
    ) -> Run:  # fmt: skip
        """Synchronize the mirror; with `full`, read all of it again. A run that dies raises `Killed`."""
        settings = ConnectionSettings(
            "shop", "stripe", "local", 30_000, self.secret, CATALOGUE.api_version, None, self.shop.url,
            self.accounts, 10_000.0, reread=self.reread, optional=self.optional,
        )  # fmt: skip
        wanted = needs or [Need(name, ("id",)) for name in tables or self.tables]
        plan = plan_of_needs(settings, CONNECTOR, wanted)
        executor = InlineExecutor(2)
        staging = DyingStaging(self.path, CATALOGUE, crash, accept_deletes=accept_deletes)
        refresh = refresh_whole({CONNECTOR.name: CONNECTOR}) if full else _refresh
        given = {"max_slice_bytes": None, **self.config, **config}
        try:
            world = self._world(executor, staging, refresh, given, cancelled)
            return execute_plan(plan, world, lambda _event: None)
        finally:
            executor.close()

    def _world(
        self, executor: InlineExecutor, staging: DuckStaging, refresh: Any, config: Mapping[str, Any],
        cancelled: Callable[[], bool],
    ) -> World:  # fmt: skip
        stage: dict[str, Any] = {
            "api_version": CATALOGUE.api_version, "secret": list(self.secret), "base_url": self.shop.url,
            "timeout_ms": 30_000, "mode": None, "requests_per_second": 10_000.0, "base": str(self.folder),
            "retry": FAST, "identify": True,
        }  # fmt: skip
        store = self.folder / "store.duckdb"
        return World(
            now=self.now,
            executor=executor,
            staging=lambda _: staging,
            extraction=lambda _: (CONNECTOR.stage, {**stage, **config}),
            accounts=lambda _settings, _sent: self.accounts if self.accounts is not None else (None,),
            boxes=DuckBoxRunner({}, {}, store, {}),
            fetch=fetch_rows,
            tables=DuckTableStore(store),
            runs=MemoryRunStore(self._memory),
            reads=MemoryRunStore(self._memory),
            directory=self.folder / "state",
            limits=BoxLimits(256 << 20, 20, 1, 256 << 20),
            owner=describe_process(datetime.now(UTC)),
            is_alive=process_is_alive,
            new_id=lambda _now: f"run-{next(self._ticks)}",
            user="ada",
            commit=None,
            cancelled=cancelled,
            refresh=refresh,
        )

    def rows(self) -> dict[tuple[str, str | None], list[dict[str, Any]]]:
        """All rows of the staging file by table and account, including deleted ones."""
        return staged_rows(self.path)

    def live(self, name: str, account: str | None = None) -> dict[str, dict[str, Any]]:
        """The rows of a table that a SQL box sees, by ID; asserts that no ID is duplicate."""
        return live_of(self.rows().get((name, account), []))

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """The rows of a query on the existing staging file."""
        with duckdb.connect(str(self.path), read_only=True) as connection:
            return _rows_of(connection.execute(sql, list(parameters)))


def staged_rows(path: Path) -> dict[tuple[str, str | None], list[dict[str, Any]]]:
    """All rows of a staging file by table and account, including deleted ones; empty if there is no file."""
    found: dict[tuple[str, str | None], list[dict[str, Any]]] = {}
    if not path.exists():
        return found
    with _opened(path) as connection:
        present = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'staging' AND schema_name = 'main'"
        ).fetchall()
        for (table,) in present:
            for row in _rows_of(connection.execute(f'SELECT * FROM staging."{table}"')):
                found.setdefault((table, row["_account"] or None), []).append(row)
    return found


@contextmanager
def _opened(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The file, attached read-only as `staging` to a reused instance: a new one takes longer than reading the rows."""
    connection = _instance()
    connection.execute(f"ATTACH '{path}' AS staging (READ_ONLY)")
    try:
        yield connection
    finally:
        connection.execute("DETACH staging")


@cache
def _instance() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"threads": 1})


def _rows_of(found: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _refresh(_settings: ConnectionSettings, reads: Sequence[Read], mirror: Mirror, pace: Pace) -> Sequence[Read]:
    return CONNECTOR.refresh(reads, mirror, pace)


def permissions_for(tables: Sequence[str], *more: str) -> frozenset[str]:
    """The permissions that a restricted key needs to read only these tables."""
    known = load_catalogue().tables
    return frozenset({*(known[name].permission for name in tables), *more})
