"""The DuckDB table store for the contract suites of table stores."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import duckdb

from engine.duck import DuckTableStore, read_rejects, stored_values, write_rows
from engine.duck.files import attach, reading, writing
from engine.duck.quoting import quote_literal, quote_name
from engine.relation import TEXT, Column, Relation
from engine.run import BoxResult, KeptReject
from engine.testing.table_store_bench import ConnectionLostError, Row

Observer = Callable[[int], None]


class ObservedConnection:
    """A DuckDB connection that calls the observer around each statement and is lost when the observer raises."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, observer: Observer) -> None:
        self._connection = connection
        self._observer = observer
        self._point = 0
        self._is_lost = False

    def execute(self, *arguments: Any) -> duckdb.DuckDBPyConnection:
        if self._is_lost:
            raise duckdb.ConnectionException("the connection is lost")
        self._report()
        found = self._connection.execute(*arguments)
        self._report()
        return found

    def _report(self) -> None:
        try:
            self._observer(self._point)
            self._point += 1
        except ConnectionLostError:
            self._is_lost = True
            raise duckdb.ConnectionException("the connection is lost") from None


class ObservedTableStore(DuckTableStore):
    """The store on connections that an observer watches, if there is one."""

    observer: Observer | None = None

    @contextlib.contextmanager
    def _connection(self, source: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        with super()._connection(source) as connection:
            if self.observer is None:
                yield connection
            else:
                yield cast(duckdb.DuckDBPyConnection, ObservedConnection(connection, self.observer))


class DuckTableBench:
    """Implements `TableStoreBench` in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._path = folder / "store.duckdb"
        self._boxes = 0
        self.restart()

    def restart(self) -> None:
        self._store = ObservedTableStore(self._path)

    @property
    def store(self) -> DuckTableStore:
        return self._store

    def result(self, names: Sequence[str], rows: Sequence[Row]) -> BoxResult:
        self._boxes += 1
        relation = Relation(tuple(Column(name, TEXT) for name in names))
        named = [dict(zip(names, row, strict=True)) for row in rows]
        return write_rows(self._folder / f"box{self._boxes}.duckdb", relation, named)

    def read(self, table: str, relation: Relation) -> list[tuple[object, ...]]:
        spill = self._folder / "spill"
        with reading([self._path]):
            return [tuple(row.values()) for row in stored_values(self._path, table, relation, spill)]

    def rejects(self) -> Sequence[KeptReject]:
        return read_rejects(self._path, 1_000)

    def read_snapshot(self, path: Path, relation: Relation) -> list[tuple[object, ...]]:
        columns = ", ".join(map(quote_name, relation.names))
        with duckdb.connect() as connection:
            return connection.execute(f"SELECT {columns} FROM read_parquet({quote_literal(str(path))})").fetchall()

    def drop(self, table: str) -> None:
        with writing(self._path), duckdb.connect() as connection:
            attach(connection, self._path, "store", read_only=False)
            connection.execute(f"DROP TABLE store.main.{quote_name(table)}")

    @contextlib.contextmanager
    def observe(self, observer: Observer) -> Iterator[None]:
        self._store.observer = observer
        try:
            yield
        finally:
            self._store.observer = None
