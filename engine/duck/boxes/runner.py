"""Runs each SQL box in this process, in its own hardened instance, and writes the rows to its own file.

The box's instance cannot write. Its rows stream as Arrow into a second instance, which owns the file and executes a
single statement of the engine.
"""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import duckdb

from engine.connector import MirrorInstant, SourceCatalogue
from engine.graph import SCHEMA_NAMESPACE, Box
from engine.relation import Relation
from engine.run import BoxError, BoxLimits, BoxResult

from ..files import STORAGE_VERSION, reading
from ..instances import Terms, own_instance
from ..quoting import quote_literal, quote_name
from ..types import sql_type
from .check import TableName, check_box
from .hardening import Deadline, lock_down, open_instance
from .money import make_amount, mentions_amount, unknown_currencies
from .views import Namespace, make_views, with_mirror

RESULT_TABLE: Final = "result"
_STREAM: Final = "weir_rows"
_BATCH_ROWS: Final = 8192
_KIND_OF_ERROR: Final = re.compile(r"^(?:[A-Z][A-Za-z-]* )+Error: ")
_WRAPPED: Final = re.compile(r"^.*reading the stream registered as '\w+' failed: ", re.DOTALL)


class DuckBoxRunner:
    """`BoxRunner` over staging files (connection → path), their catalogues, and the Schema's file and tables.

    A missing file or table counts as empty. Files are read-locked while a box runs. When `cancelled` returns true, the
    running box is interrupted with a `BoxError`. `currencies` are the decimals by currency for `weir.amount`; None:
    those of the installed connectors.
    """

    def __init__(
        self,
        stagings: Mapping[str, Path],
        catalogues: Mapping[str, SourceCatalogue],
        store: Path,
        schema: Mapping[str, Relation],
        cancelled: Callable[[], bool] | None = None,
        currencies: Mapping[str, int] | None = None,
    ) -> None:
        self._cancelled = cancelled
        self._currencies = currencies
        self._namespaces = {
            name: Namespace(path, {each: table.relation for each, table in catalogues[name].tables.items()}, "mirror")
            for name, path in stagings.items()
        }
        self._namespaces[SCHEMA_NAMESPACE] = Namespace(store, schema, "schema")

    def run(self, box: Box, target: Path, limits: BoxLimits, since: MirrorInstant | None = None) -> BoxResult:
        """See `BoxRunner.run`. `BoxError.limit` is "seconds", "memory", "temp" or "depth". `StoreError` E610: busy."""
        scope = with_mirror({name: self._namespaces[name] for name in box.scope}, since)
        part = target.with_name(target.name + ".part")
        spill = spill_folder(target)
        spill.mkdir(exist_ok=True)
        try:
            result = _run(box, scope, part, spill, limits, self._cancelled, self._currencies)
            part.replace(target)
        except BaseException:
            for leftover in (part, part.with_name(part.name + ".wal")):
                leftover.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(spill, ignore_errors=True)
        return replace(result, path=target)


def spill_folder(target: Path) -> Path:
    """The folder that a box spills to while it writes `target`."""
    return target.with_name(target.name + ".spill")


def _run(
    box: Box,
    scope: Mapping[str, Namespace],
    part: Path,
    spill: Path,
    limits: BoxLimits,
    cancelled: Callable[[], bool] | None,
    currencies: Mapping[str, int] | None,
) -> BoxResult:
    part.unlink(missing_ok=True)
    with open_instance(limits, spill) as instance, _writer(part, box.bound.relation, spill) as writer:
        with _limited(limits, cancelled, instance):
            named = check_box(instance, box.sql, {name: each.names for name, each in scope.items()})
        wanted = {each.namespace for each in named}
        # Waiting for a busy file does not count as the box's time.
        with reading([each.path for name, each in scope.items() if name in wanted and each.path.exists()]):
            try:
                seen = make_views(instance, scope, named, limited_tables(box))
            except duckdb.Error as error:
                raise BoxError(f"the tables of the box cannot be read: {str(error).split(chr(10), 1)[0]}") from error
            counts_money = mentions_amount(box.sql)
            if counts_money:
                make_amount(instance, noting=True, known=currencies)
            lock_down(instance, limits)
            with _limited(limits, cancelled, instance, writer):
                rows = _stream(instance, writer, box)
                unknown = unknown_currencies(instance) if counts_money else ()
                return BoxResult(part, box.bound.relation, rows, seen, unknown)


def limited_tables(box: Box) -> frozenset[TableName]:
    """The tables that were read with a limit for this box."""
    reads = box.bound.reads
    return frozenset(TableName(r.namespace, r.need.table.casefold()) for r in reads if r.need.limit is not None)


@contextlib.contextmanager
def _limited(
    limits: BoxLimits, cancelled: Callable[[], bool] | None, *connections: duckdb.DuckDBPyConnection
) -> Iterator[None]:
    deadline = Deadline(limits.seconds, *(each.interrupt for each in connections), cancelled=cancelled)
    try:
        with deadline:
            yield
    except (duckdb.Error, RuntimeError, MemoryError) as error:
        raise _box_error(error, deadline, limits) from None


def _stream(instance: duckdb.DuckDBPyConnection, writer: duckdb.DuckDBPyConnection, box: Box) -> int:
    instance.execute("BEGIN TRANSACTION READ ONLY")
    relation = instance.sql(box.sql)
    if len(relation.columns) != len(box.bound.relation):
        raise BoxError(f"the box yields {len(relation.columns)} columns, expected {len(box.bound.relation)}")
    writer.register(_STREAM, _arrow_stream(relation))
    try:
        ((rows,),) = writer.execute(f"INSERT INTO {RESULT_TABLE} SELECT * FROM {_STREAM}").fetchall()
    finally:
        writer.unregister(_STREAM)
    return int(rows)


def _arrow_stream(relation: duckdb.DuckDBPyRelation) -> object:
    """The rows as an Arrow stream capsule. Call it once: each call runs the box.

    DuckDB 2 uses batches of 131,072 rows, which for wide rows exceeds the memory limit of the box. Only a private
    method of the relation accepts a batch size.
    """
    submit = getattr(relation, "_submit", None)
    if submit is not None:
        return submit("stream", _BATCH_ROWS).arrow_capsule()
    return relation.__arrow_c_stream__()


@contextlib.contextmanager
def _writer(part: Path, relation: Relation, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    # The file is deleted once the next step has read it: compressing it would cost as much as writing it.
    with own_instance(Terms(spill, compression="uncompressed"), "output") as connection:
        version = quote_literal(STORAGE_VERSION)
        connection.execute(f"ATTACH {quote_literal(str(part))} AS output (STORAGE_VERSION {version})")
        connection.execute("USE output")
        columns = ", ".join(f"{quote_name(column.name)} {sql_type(column.type)}" for column in relation)
        connection.execute(f"CREATE TABLE {RESULT_TABLE} ({columns})")
        yield connection


def _box_error(error: BaseException, deadline: Deadline, limits: BoxLimits) -> BoxError:
    text = _WRAPPED.sub("", str(error))
    line = text.split("\n", 1)[0]
    if deadline.stopped:
        return BoxError("the box was stopped")
    if deadline.passed or "INTERRUPT" in line or "max_execution_time" in line:
        return BoxError(f"the box took longer than {limits.seconds:g} seconds", limit="seconds")
    if "max_temp_directory_size" in text:
        return BoxError(f"the box spilled more than {limits.temp_bytes:,} bytes to disk", limit="temp")
    if isinstance(error, (duckdb.OutOfMemoryException, MemoryError)) or "Out of Memory" in text:
        return BoxError(f"the box took more than {limits.memory_bytes:,} bytes of memory", limit="memory")
    if isinstance(error, RecursionError) or "expression depth" in text:
        return BoxError("the SQL is nested too deep", limit="depth")
    message = _KIND_OF_ERROR.sub("", line)
    return BoxError(message[:1].lower() + message[1:] if message[1:2].islower() else message)
