"""POST and DELETE requests of the SDK → `Write`s."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from engine.connectors.stripe.catalogue.model import Param, Table, Write, WriteKind
from tools.stripe_catalogue import effects
from tools.stripe_catalogue.operations import SdkRequest
from tools.stripe_catalogue.parameters import read_params
from tools.stripe_catalogue.shapes import SdkShape, SdkShapes


@dataclass(frozen=True, slots=True)
class Writes:
    """Every write by path, its parameters by its key, and for each table the indexes of its writes."""

    writes: tuple[Write, ...]
    params: dict[str, tuple[Param, ...]]
    owned: dict[str, tuple[int, ...]]


def read_writes(shapes: SdkShapes, operations: Iterable[SdkRequest], tables: Mapping[str, Table]) -> Writes:
    """The POST and DELETE requests of `operations`."""
    by_path = {table.path: table for table in tables.values()}
    by_resource = {table.resource: table for table in reversed(list(tables.values())) if not table.parents}
    writes: list[Write] = []
    params: dict[str, tuple[Param, ...]] = {}
    owned: dict[str, list[int]] = {name: [] for name in tables}
    for operation in operations:
        if operation.method == "get":
            continue
        returns = _returned(shapes, operation.returns)
        table = _table_of(operation.path, by_path) or (by_resource.get(returns[0]) if returns else None)
        if table is not None:
            owned[table.name].append(len(writes))
        writes.append(_write(operation, returns, table))
        params[writes[-1].key] = read_params(shapes, operation.params)
    return Writes(_with_immutables(writes, params), params, {name: tuple(places) for name, places in owned.items()})


def _write(operation: SdkRequest, returns: tuple[str, ...], table: Table | None) -> Write:
    kind = _kind(operation)
    resource = returns[0] if returns else ""
    if table is not None and not set(returns) & set(table.resources):
        resource = table.resource if kind is WriteKind.ACTION or not returns else returns[0]
    return Write(
        path=operation.path,
        method=operation.method,
        kind=kind,
        verb=operation.verb,
        resource=resource,
        returns=returns,
        effect=effects.effect_of(kind, operation.path, operation.verb),
        base=operation.base,
    )


def _kind(operation: SdkRequest) -> WriteKind:
    if operation.method == "delete":
        return WriteKind.DELETE
    if operation.verb == "create":
        return WriteKind.CREATE
    return WriteKind.UPDATE if operation.verb in ("update", "modify") else WriteKind.ACTION


def _returned(shapes: SdkShapes, shape: SdkShape | None) -> tuple[str, ...]:
    if shape is not None and shape.kind in ("list_object", "search_result"):
        shape = shape.item
    return shapes.resources(shape)


def _table_of(path: str, by_path: Mapping[str, Table]) -> Table | None:
    """The table with the longest path that is a prefix of this one."""
    parts = path.split("/")
    for length in range(len(parts), 0, -1):
        table = by_path.get("/".join(parts[:length]))
        if table is not None:
            return table
    return None


def _with_immutables(writes: Sequence[Write], params: Mapping[str, tuple[Param, ...]]) -> tuple[Write, ...]:
    """Add to updates the parameters that only the create of the same collection accepts."""
    creates = {write.path: write for write in writes if write.kind is WriteKind.CREATE}
    found: list[Write] = []
    for write in writes:
        create = creates.get(write.path.rpartition("/")[0])
        if write.kind is WriteKind.UPDATE and create is not None:
            own = {param.name for param in params[write.key]}
            write = replace(write, immutable=tuple(each.name for each in params[create.key] if each.name not in own))
        found.append(write)
    return tuple(found)
