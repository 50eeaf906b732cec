"""Binds SQL boxes to empty tables and returns their columns, the tables they read, or the reason they do not bind."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

import duckdb

from engine.graph import CHANGED_NAMESPACE, QUALIFIED, BindFailure, Bound, Scope, TableRead
from engine.relation import Column, Relation
from engine.run import BoxError

from ..boxes.check import TableName, check_box
from ..boxes.money import make_amount
from ..quoting import quote_name
from ..types import column_type
from .errors import failure_of, writing_word
from .explain import CREATED, no_row, reads_of_plan
from .tables import BinderTables, BoundTable, Shelf, columns_sql, tables_of_provider

_EXPLAIN: Final = "EXPLAIN (FORMAT JSON) "
_DESCRIBE: Final = "DESCRIBE "
_ROW: Final = "row"
_MILLISECONDS: Final = 5000
_WORD: Final = re.compile(r"\w+")
_OUTSIDE: Final = ("read_", "glob", "sniff_", "parquet_", "sqlite_", "getenv", "duckdb_", "pragma_", "current_setting")
_CAST: Final = re.compile(
    r"(?<!TRY_)CAST\(('(?:[^'\\]|'')*') AS "
    r"(BIGINT|INTEGER|DOUBLE|BOOLEAN|DATE|TIMESTAMP WITH TIME ZONE|TIMESTAMP|DECIMAL\(\d+,\d+\))\)"
)
_MAX_SQL: Final = 1_000_000
_DISABLED_OPTIMIZERS: Final = (
    "statistics_propagation",
    "compressed_materialization",
    "late_materialization",
    "empty_result_pullup",
    "top_n_window_elimination",
    "join_filter_pushdown",
    "window_self_join",
    "row_group_pruner",
    "common_subplan",
)
"""Disabled because they use statistics of the (empty) tables, or detach filters from their tables in the plan."""

_SETTINGS: Final = (
    "SET errors_as_json = true",
    "SET enable_external_access = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET python_enable_replacements = false",
    "SET memory_limit = '512MB'",
    "SET threads = 1",
    "SET TimeZone = 'UTC'",
)
_SURROUNDINGS: Final = frozenset(
    {
        "age",
        "clock_timestamp",
        "current_catalog",
        "current_connection_id",
        "current_database",
        "current_date",
        "current_localtime",
        "current_localtimestamp",
        "current_query",
        "current_query_id",
        "current_role",
        "current_schema",
        "current_schemas",
        "current_setting",
        "current_time",
        "current_timestamp",
        "current_transaction_id",
        "current_user",
        "currval",
        "gen_random_uuid",
        "get_current_time",
        "get_current_timestamp",
        "getenv",
        "getvariable",
        "inet_client_addr",
        "localtime",
        "localtimestamp",
        "nextval",
        "now",
        "pg_is_other_temp_schema",
        "pg_my_temp_schema",
        "random",
        "session_user",
        "setseed",
        "statement_timestamp",
        "today",
        "transaction_timestamp",
        "txid_current",
        "user",
        "uuid",
        "uuidv4",
        "uuidv7",
        "version",
    }
)
"""Functions whose value depends on the run. DuckDB folds most of them into constants while it plans."""


class DuckBinder:
    """`engine.graph.Binder` on an in-memory DuckDB without rows and without external access.

    Not thread-safe. Tables are created when a box first mentions them; results are cached by SQL and scope.
    """

    def __init__(self) -> None:
        self._database = duckdb.connect(":memory:")
        for setting in _SETTINGS:
            self._database.execute(setting)
        with contextlib.suppress(duckdb.CatalogException):  # a setting of DuckDB 2
            self._database.execute(f"SET max_execution_time = {_MILLISECONDS}")
        known = {name for (name,) in self._database.execute("SELECT name FROM duckdb_optimizers()").fetchall()}
        disabled = ",".join(each for each in _DISABLED_OPTIMIZERS if each in known)
        self._database.execute(f"SET disabled_optimizers = '{disabled}'")
        make_amount(self._database)
        self._tables = BinderTables(self._database)
        self._bound: dict[tuple[str, tuple[int, ...]], tuple[dict[str, Shelf], Bound | BindFailure]] = {}
        self._row: Relation | None = None

    def close(self) -> None:
        """Release the memory. The binder cannot be used afterwards."""
        self._database.close()

    def bind(self, sql: str, scope: Scope) -> Bound | BindFailure:
        """The columns and reads of the box, or the reason it does not bind. The box is never executed."""
        words = {word.casefold() for word in _WORD.findall(sql)}
        shelves = self._tables.shelves(scope, words)
        key = (sql, tuple(id(shelf) for shelf in shelves.values()))
        _, found = self._bound.get(key, (shelves, None))
        if found is None:
            try:
                found = self._bind(sql, shelves, words)
            except RecursionError:
                found = BindFailure("other", "the box is nested too deep", None)
            self._bound[key] = (shelves, found)  # keeps the shelves alive, whose ids are the key
        if isinstance(found, BindFailure):
            return found
        names = {shelf.schema: name for name, shelf in shelves.items()}
        reads = (TableRead(names[read.namespace], read.need) for read in found.reads)
        ordered = tuple(sorted(reads, key=lambda read: (read.namespace, read.need.table)))
        return Bound(found.relation, ordered, found.changed)

    def bind_expression(self, expression: str, columns: Relation) -> Relation | BindFailure:
        """The single column `value` that a mapping's `expr` returns for a row with these columns."""
        if self._row != columns:
            self._database.execute(f"CREATE OR REPLACE TABLE memory.main.{quote_name(_ROW)} ({columns_sql(columns)})")
            self._row = columns
        self._tables.search(())
        before = "SELECT "
        sql = f"{before}{expression}\n AS value FROM {_ROW}"
        # WHERE rejects aggregates and window functions, which would read more than one row.
        condition = "SELECT 1 FROM row WHERE ("
        found = self._refused(sql)
        if found is None and not self._is_one_expression(sql):
            return BindFailure("statements", "expected one expression", None)
        if found is not None:
            return _moved(found, -len(before), expression)
        try:
            self._database.execute(f"{_DESCRIBE}{condition}{expression}\n) IS NULL")
        except duckdb.Error as error:
            prefix = len(_DESCRIBE) + len(condition)
            return _moved(failure_of(error, expression, prefix, (), columns.names), 0, expression)
        return self._relation(sql)

    def _bind(self, sql: str, shelves: Mapping[str, Shelf], words: set[str]) -> Bound | BindFailure:
        if (refused := self._refused(sql)) is not None:
            return refused
        mentioned = {full: table for shelf in shelves.values() for full, table in self._tables.make(shelf, words)}
        self._tables.search(tuple(shelf.schema for name, shelf in shelves.items() if name not in QUALIFIED))
        visible = {shelf.schema: shelf.visible for shelf in shelves.values()}
        try:
            rows = self._database.execute(_EXPLAIN + sql).fetchall()
            named = check_box(self._database, sql, visible)  # before `_relation`, which takes any statement
            relation = self._relation(sql)
        except BoxError as error:
            return _out_of_reach(error, sql)
        except duckdb.Error as error:
            if (refused := self._unavailable(sql, visible)) is not None:
                return refused
            tables = [table for shelf in shelves.values() for table in shelf.tables]
            columns = [name for table in mentioned.values() for name in table.relation.names]
            return failure_of(error, sql, len(_EXPLAIN), tables, columns)
        if (impossible := self._impossible_cast(rows[0][1], sql)) is not None:
            return impossible
        changed = {shelves[CHANGED_NAMESPACE].names[n.table] for n in named if n.namespace == CHANGED_NAMESPACE}
        read = tables_of_provider(mentioned, shelves)
        return Bound(relation, self._reads(json.loads(rows[0][1])[0], sql, words, read, named), tuple(sorted(changed)))

    def _reads(
        self,
        plan: Mapping[str, Any],
        sql: str,
        words: set[str],
        mentioned: Mapping[str, BoundTable],
        named: frozenset[TableName],
    ) -> tuple[TableRead, ...]:
        clock = not _SURROUNDINGS.isdisjoint(words)
        reads = reads_of_plan(
            plan,
            mentioned,
            clock=clock,
            renames_created=lambda: self._renames_created(sql),
            written_limit=lambda: _written_limit(self._syntax_tree(sql)),
        )
        seen = {(read.namespace, read.need.table) for read in reads}
        for full, table in mentioned.items():
            _, schema, written = full.split(".", 2)
            name = TableName(schema, written.casefold())
            if (table.namespace, table.table) not in seen and name in named:
                seen.add((table.namespace, table.table))
                reads.append(no_row(table))
        return tuple(reads)

    def _refused(self, sql: str) -> BindFailure | None:
        """Why `sql` is not exactly one SELECT, or None."""
        if len(sql) > _MAX_SQL:
            return BindFailure("other", f"the box is longer than {_MAX_SQL:,} characters", None)
        if any("\ud800" <= character <= "\udfff" for character in sql):
            return BindFailure("syntax", "the text contains an unpaired surrogate", None)
        try:
            statements = self._database.extract_statements(sql)
        except duckdb.Error as error:
            return failure_of(error, sql, 0, (), ())
        if not statements:
            return BindFailure("not_select", "expected a SELECT, found nothing", None)
        if len(statements) > 1:
            start = sql.find(statements[1].query.strip(), len(statements[0].query.rstrip("; \n")))
            start = start if start >= 0 else len(statements[0].query)
            end = start + len(statements[1].query.strip())
            return BindFailure("statements", f"expected one statement, found {len(statements)}", (start, end))
        kind = statements[0].type
        if kind == duckdb.StatementType.MULTI:
            hint = "name the values of the pivot: `ON column IN (…)`"
            return BindFailure("not_select", f"a PIVOT whose columns depend on the rows: {hint}", None)
        if kind != duckdb.StatementType.SELECT:
            return BindFailure("not_select", f"expected a SELECT, found {kind.name}", _first_word(sql))
        return None

    def _unavailable(self, sql: str, visible: Mapping[str, frozenset[str]]) -> BindFailure | None:
        """A failure for a function that boxes must not use. DuckDB's own error would mention files and settings."""
        if not any(word.casefold().startswith(_OUTSIDE) for word in _WORD.findall(sql)):
            return None
        try:
            check_box(self._database, sql, visible)
        except BoxError as error:
            return BindFailure("not_select", error.reason, error.span) if "function" in error.reason else None
        return None

    def _impossible_cast(self, plan: str, sql: str) -> BindFailure | None:
        """A failure for a constant that DuckDB cannot convert: the box would fail on its first row."""
        for match in _CAST.finditer(plan):
            literal, kind = match[1], match[2]
            found = self._database.execute(f"SELECT TRY_CAST({literal} AS {kind}) IS NULL").fetchone()
            if found is not None and found[0]:
                start = sql.find(literal)
                span = (start, start + len(literal)) if start >= 0 else None
                return BindFailure("type", f"this text is no {kind}", span)
        return None

    def _is_one_expression(self, sql: str) -> bool:
        """Whether the SQL parses to exactly one selected expression over the row."""
        statements = self._syntax_tree(sql).get("statements", [])
        node = statements[0].get("node", {}) if len(statements) == 1 else {}
        source = node.get("from_table") or {}
        return (
            len(node.get("select_list", ())) == 1
            and node["select_list"][0].get("alias") == "value"
            and source.get("type") == "BASE_TABLE"
            and source.get("table_name") == _ROW
            and not node.get("where_clause")
        )

    def _renames_created(self, sql: str) -> bool:
        """Whether the box uses the name `created` for anything other than a column reference."""
        tree = self._syntax_tree(sql)
        return "error" not in tree or bool(tree["error"]) or _is_name_elsewhere(tree, CREATED)

    def _syntax_tree(self, sql: str) -> dict[str, Any]:
        row = self._database.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
        tree = json.loads(row[0]) if row is not None else {}
        return tree if isinstance(tree, dict) else {}

    def _relation(self, sql: str) -> Relation:
        """The columns of a statement that is known to be one SELECT. Names may repeat."""
        found = self._database.sql(sql)
        return Relation(
            tuple(Column(name, column_type(str(kind))) for name, kind in zip(found.columns, found.types, strict=True))
        )


def _out_of_reach(error: BoxError, sql: str) -> BindFailure:
    if error.reason.startswith("no table"):
        return BindFailure("table", error.reason, error.span, error.reason.partition("`")[2].rstrip("`"))
    return BindFailure("not_select", error.reason, error.span or writing_word(sql))


def _first_word(sql: str) -> tuple[int, int] | None:
    match = re.search(r"[A-Za-z]\w*", sql)
    return match.span() if match else None


def _moved(failure: BindFailure, by: int, text: str) -> BindFailure:
    """The failure with its span shifted by `by` and clipped to `text`, the author's SQL."""
    if failure.span is None:
        return failure
    start, end = (min(max(each + by, 0), len(text)) for each in failure.span)
    span = (start, end) if end > start else (max(len(text) - 1, 0), len(text))
    return BindFailure(failure.reason, failure.message, span, failure.name, failure.candidates)


def _written_limit(tree: Mapping[str, Any]) -> tuple[str, str]:
    """LIMIT and OFFSET of a statement; empty unless they are plain numbers.

    Needed before DuckDB 2.0, whose plans show both values; this is the form of the older syntax trees.
    """
    statements = tree.get("statements") or [{}]
    modifiers = statements[0].get("node", {}).get("modifiers", [])
    limits = [each for each in modifiers if each.get("type") == "LIMIT_MODIFIER"]
    if len(limits) != 1:
        return "", ""

    def number(part: Mapping[str, Any] | None) -> str:
        return str((part or {}).get("value", {}).get("value", ""))

    return number(limits[0].get("limit")), number(limits[0].get("offset")) if limits[0].get("offset") else "0"


def _is_name_elsewhere(tree: object, word: str) -> bool:
    if isinstance(tree, dict):
        return any(
            str(name).casefold() == word or (name != "column_names" and _is_name_elsewhere(value, word))
            for name, value in tree.items()
        )
    if isinstance(tree, list):
        return any(_is_name_elsewhere(item, word) for item in tree)
    return isinstance(tree, str) and tree.casefold() == word
