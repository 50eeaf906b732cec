"""What a box reads, from DuckDB's plan of it: scans, their columns, filters and limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from engine.connector import Need
from engine.graph import TableRead
from engine.relation import Kind, Relation

from .filters import UNKNOWN, Condition, Disjunction, all_of, any_of, read_filter, split_filters
from .tables import BoundTable

Node = Mapping[str, Any]
"""A node of EXPLAIN (FORMAT JSON): `name`, `children`, `extra_info`."""

CREATED: Final = "created"
_LIMITS: Final = frozenset({"LIMIT", "STREAMING_LIMIT", "TOP_N"})
_WORD: Final = re.compile(r"\w+")
_ORDER: Final = re.compile(r"(?P<ref>#\d+|[\w.]+) DESC(?: NULLS LAST)?")


@dataclass(frozen=True, slots=True)
class _Scan:
    table: BoundTable
    columns: frozenset[str]
    condition: Condition


def reads_of_plan(
    root: Node,
    tables: Mapping[str, BoundTable],
    *,
    clock: bool,
    renames_created: Callable[[], bool],
    written_limit: Callable[[], tuple[str, str]],
) -> list[TableRead]:
    """One read for each table that the plan scans; several scans of a table are merged. `tables` has DuckDB's full
    names as keys.

    `clock`: the box reads the time or its environment, which DuckDB has folded into the filters as constants, so no
    filter is used. `renames_created()`: whether `created` may name something other than the column. `written_limit()`:
    LIMIT and OFFSET of the box's SQL, for plans that do not show them.
    """
    scans = list(_scans(root, None, tables))
    if clock:
        scans = [replace(scan, condition=UNKNOWN) for scan in scans]
    found: dict[tuple[str, str], list[_Scan]] = {}
    for scan in scans:
        found.setdefault((scan.table.namespace, scan.table.table), []).append(scan)
    limit = None if clock else _limit(root, tables, renames_created=renames_created, written_limit=written_limit)
    reads = []
    for (namespace, table), same in sorted(found.items()):
        need = _need(table, same)
        if limit is not None and len(same) == 1 and same[0].condition.exact and same[0].table.limited:
            need = replace(need, limit=limit[0], newest_first=limit[1])
        reads.append(TableRead(namespace, need))
    return reads


def _need(table: str, scans: Sequence[_Scan]) -> Need:
    relation = scans[0].table.relation
    used = frozenset().union(*(scan.columns for scan in scans))
    where: Disjunction = any_of(scan.condition for scan in scans).where
    return Need(table, tuple(name for name in relation.names if name in used), where)


def _name(node: Node) -> str:
    return str(node["name"]).strip()


def _info(node: Node) -> Mapping[str, Any]:
    info: Mapping[str, Any] = node["extra_info"] or {}
    return info


def _lines(value: object) -> list[str]:
    """The entries as a list: EXPLAIN writes a single entry as text."""
    if isinstance(value, list):
        return [str(each) for each in value]
    return [str(value)] if value else []


def _scans(node: Node, above: Node | None, tables: Mapping[str, BoundTable]) -> Iterator[_Scan]:
    full = _info(node).get("Table")
    if isinstance(full, str) and full in tables:
        yield _scan(node, above, tables[full])
    for child in node["children"]:
        yield from _scans(child, node, tables)


def _scan(node: Node, above: Node | None, table: BoundTable) -> _Scan:
    info = _info(node)
    filters = split_filters(_lines(info.get("Filters")))
    if above is not None and _name(above) == "FILTER":
        filters += split_filters(_lines(_info(above).get("Expression")))
    texts = [*_lines(info.get("Projections")), *filters]
    columns = _columns(texts, table.relation)
    if "Sample Method" in info:  # rows are drawn before they are filtered
        return _Scan(table, columns, UNKNOWN)
    return _Scan(table, columns, all_of(read_filter(text, table.relation) for text in filters))


def _columns(texts: Sequence[str], relation: Relation) -> frozenset[str]:
    """The columns that are named in the texts of a scan; all of them when one names something else."""
    names = frozenset(relation.names)
    found: set[str] = set()
    for text in texts:
        if text in names:
            found.add(text)
            continue
        words = set(_WORD.findall(text))
        found |= words & names
        if not words & names:
            return names
    return frozenset(found)


def _limit(
    root: Node,
    tables: Mapping[str, BoundTable],
    *,
    renames_created: Callable[[], bool],
    written_limit: Callable[[], tuple[str, str]],
) -> tuple[int, bool] | None:
    """(rows, newest first) when the whole plan is a limited scan: any, or the newest, so many rows do."""
    node = _below_projections(root)
    if node is None or _name(node) not in _LIMITS:
        return None
    limiting, info = node, _info(node)
    ordered = _name(limiting) == "TOP_N"
    count, offset = str(info.get("Top" if ordered else "Limit", "")), str(info.get("Offset", "0"))
    if not ordered and not count:
        count, offset = written_limit()
    if not count.isdigit() or not offset.isdigit():
        return None
    child = _only_child(limiting)
    below = _below_projections(child) if child is not None else None
    if below is not None and _name(below) == "FILTER":
        below = _only_child(below)
    if child is None or below is None or below["children"] or _info(below).get("Table") not in tables:
        return None
    rows = int(count) + int(offset)
    if not ordered:
        return rows, False
    newest = _orders_by_created(info.get("Order By"), child, tables[_info(below)["Table"]], renames_created)
    return (rows, True) if newest else None


def _orders_by_created(order: object, child: Node, table: BoundTable, renames_created: Callable[[], bool]) -> bool:
    """Whether rows are ordered by the column `created`, newest first, and by nothing else."""
    column = table.relation.find(CREATED)
    match = _ORDER.fullmatch(order) if isinstance(order, str) else None
    if match is None or column is None or column.type.kind is not Kind.TIMESTAMP or not column.required:
        return False
    reference = match["ref"].removeprefix(f"memory.{table.namespace}.{table.table}.")  # so written by DuckDB 1
    if reference.startswith("#"):
        outputs = _lines(_info(child).get("Projections"))
        position = int(reference[1:])
        if position >= len(outputs):
            return False
        reference = outputs[position]
    if _name(child) == "PROJECTION" and renames_created():
        return False
    return reference == column.name


def _below_projections(node: Node) -> Node | None:
    found: Node | None = node
    while found is not None and _name(found) == "PROJECTION":
        found = _only_child(found)
    return found


def _only_child(node: Node) -> Node | None:
    children = node["children"]
    return children[0] if len(children) == 1 else None


def no_row(table: BoundTable) -> TableRead:
    """A table that is named and of which no row can matter."""
    return TableRead(table.namespace, Need(table.table, (), ()))
