"""Restricts a SQL box to one SELECT over the tables of its scope, checked on DuckDB's own parse tree.

The hardened instance blocks most of this as well. It does not block reading attached files (`read_blob`) or the
functions and catalogue views that expose DuckDB's internals; this check does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import duckdb

from engine.graph import QUALIFIED
from engine.run import BoxError

_QUERY_NODES: Final = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_TABLE_NODES: Final = frozenset(
    {
        "BASE_TABLE",
        "SUBQUERY",
        "JOIN",
        "TABLE_FUNCTION",
        "EXPRESSION_LIST",
        "EMPTY",
        "EMPTY_FROM",
        "PIVOT",
        "COLUMN_DATA",
    }
)
_TABLE_FUNCTIONS: Final = frozenset({"unnest", "range", "generate_series", "json_each", "json_tree", "repeat_row"})
_SECRETIVE: Final = frozenset(
    {
        "current_setting",
        "current_query_id",
        "currval",
        "getenv",
        "getvariable",
        "nextval",
        "set_config",
        "write_log",
        "file_exists",
        "json_execute_serialized_sql",
    }
)
_SECRETIVE_BEGINNINGS: Final = ("duckdb_", "pragma_", "read_", "pg_", "sqlite_", "parquet_", "txid_", "glob", "sniff_")
_WORD: Final = re.compile(r"[\w.]+")


@dataclass(frozen=True, slots=True)
class TableName:
    """A table as a box writes it: in a namespace, or bare."""

    namespace: str | None
    table: str


def check_box(
    connection: duckdb.DuckDBPyConnection, sql: str, tables: Mapping[str, frozenset[str]]
) -> frozenset[TableName]:
    """The tables that the SQL names. `tables` are those in scope: namespace → casefolded names.

    `BoxError` unless the SQL is a single SELECT over these tables. The SQL is parsed, not bound.
    """
    tree = _parse(connection, sql)
    nodes = list(_walk(tree))
    ctes = {str(node["key"]).casefold() for node in nodes if "key" in node and "value" in node}
    named: set[TableName] = set()
    for node in nodes:
        kind = node.get("type")
        if isinstance(kind, str) and kind.endswith("_NODE") and kind not in _QUERY_NODES:
            raise BoxError(f"expected only SELECT, found {kind.removesuffix('_QUERY_NODE')}")
        if "query_location" not in node:
            continue
        if node.get("class") == "FUNCTION":
            _check_function(sql, node)
        elif "class" not in node:
            found = _check_table(sql, node, tables, ctes)
            if found is not None:
                named.add(found)
    return frozenset(named)


def _parse(connection: duckdb.DuckDBPyConnection, sql: str) -> Any:
    """The parse tree of the single SELECT. `duckdb.InterruptException` propagates: the time limit was reached."""
    if "\0" in sql:
        raise BoxError("expected SQL text, found a NUL character")
    try:
        statements = connection.extract_statements(sql)
    except duckdb.ParserException as error:
        raise _refusal(error) from None
    if len(statements) != 1:
        raise BoxError(f"expected one statement, found {len(statements)}")
    try:
        selects = statements[0].type == duckdb.StatementType.SELECT
    except ValueError:  # a statement type unknown to DuckDB's Python package
        selects = False
    if not selects:
        raise BoxError("expected a SELECT statement")
    try:
        ((text,),) = connection.execute("SELECT json_serialize_sql($sql)", {"sql": sql}).fetchall()
    except duckdb.ParserException as error:
        raise _refusal(error) from None
    try:
        tree = json.loads(text)
    except RecursionError:
        raise BoxError("the SQL is nested too deep", limit="depth") from None
    if tree.get("error"):
        raise BoxError(str(tree.get("error_message", "expected a SELECT statement")))
    return tree["statements"]


def _walk(tree: Any) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            yield node
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)


def _check_function(sql: str, node: dict[str, Any]) -> None:
    name = str(node.get("function_name") or "").casefold()
    if name in _SECRETIVE or name.startswith(_SECRETIVE_BEGINNINGS):
        raise BoxError(f"the function `{name}` is not available in a SQL box", span=_span(sql, node))


def _check_table(
    sql: str, node: dict[str, Any], tables: Mapping[str, frozenset[str]], ctes: set[str]
) -> TableName | None:
    kind = node.get("type")
    if kind not in _TABLE_NODES:
        raise BoxError("expected a table, a subquery or VALUES", span=_span(sql, node))
    if kind == "TABLE_FUNCTION":
        name = str(node["function"].get("function_name") or "").casefold()
        if name not in _TABLE_FUNCTIONS:
            raise BoxError(f"the function `{name}` is not available in a SQL box", span=_span(sql, node))
        return None
    if kind != "BASE_TABLE":
        return None
    path = _path(node)
    table = path[-1].casefold()
    if len(path) == 1:
        namespace = next((each for each, names in tables.items() if each not in QUALIFIED and table in names), None)
        if namespace is None and table in ctes and not table.startswith(_SECRETIVE_BEGINNINGS):
            return None
    else:
        namespace = next(
            (each for each, names in tables.items() if [each.casefold()] == [part.casefold() for part in path[:-1]]),
            None,
        )
        if namespace is not None and table not in tables[namespace]:
            namespace = None
    if namespace is None:
        raise BoxError(f"no table `{'.'.join(path)}`", span=_span(sql, node))
    return TableName(namespace, table)


def _path(node: dict[str, Any]) -> list[str]:
    """The parts of a table's name. DuckDB 1 has a separate field for each."""
    qualified = node.get("qualified_name")
    if isinstance(qualified, dict) and qualified.get("path"):
        return [str(part) for part in qualified["path"]]
    parts = (node.get("catalog_name"), node.get("schema_name"), node.get("table_name"))
    return [str(part) for part in parts if part]


def _span(sql: str, node: dict[str, Any]) -> tuple[int, int] | None:
    """The span of a node in code points; DuckDB counts bytes."""
    data = sql.encode()
    start = node.get("query_location")
    if not isinstance(start, int) or start > len(data):
        return None
    begin = len(data[:start].decode(errors="ignore"))
    length = node.get("query_location_length")
    if isinstance(length, int):
        return begin, len(data[: start + length].decode(errors="ignore"))
    word = _WORD.match(sql, begin)  # DuckDB 1 does not report the length of a node
    return begin, word.end() if word else begin + 1


def _refusal(error: duckdb.Error) -> BoxError:
    line = str(error).split("\n", 1)[0]
    if "expression depth" in line:
        return BoxError("the SQL is nested too deep", limit="depth")
    return BoxError(line)
