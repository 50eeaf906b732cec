"""List filters: from parameters to a query of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, TypeAlias

from engine.connectors.stripe.catalogue import FieldType, Filter, FilterKind, Table

from ..errors import invalid, missing
from ..flows.invoicing import subscription_of
from ..options import EVENT_RETENTION
from ..params import RawParams, as_list, check_choice, to_boolean, to_integer
from ..state import Row, Store

PAGING: Final = frozenset({"limit", "starting_after", "ending_before", "expand", "page"})
BOUNDS: Final = ("gt", "gte", "lt", "lte")
OVER: Final = ("canceled", "incomplete_expired")

RowPredicate: TypeAlias = Callable[[Row], bool]
Getter: TypeAlias = Callable[[Store, Row], Any]


@dataclass(slots=True)
class ListQuery:
    """The query of a list. `tests` must all hold; `equal` is a top-level column and its value, for an index.

    `low` and `high` bound `created`: `low <= created < high`.
    """

    tests: list[RowPredicate] = field(default_factory=list)
    equal: tuple[str, Any] | None = None
    low: int | None = None
    high: int | None = None

    def holds(self, row: Row) -> bool:
        """Whether the row matches, regardless of `created`."""
        return all(test(row) for test in self.tests)

    def bound(self, low: int | None, high: int | None) -> None:
        """Narrow `created`."""
        self.low = low if self.low is None else self.low if low is None else max(low, self.low)
        self.high = high if self.high is None else self.high if high is None else min(high, self.high)


def _items(name: str) -> Getter:
    return lambda store, row: [each.obj[name] for each in store.table("subscription_item").children(row.id)]


GETTERS: Final[Mapping[tuple[str, str], Getter]] = {
    ("event", "delivery_success"): lambda _, row: row.obj["pending_webhooks"] == 0,
    ("file_link", "expired"): lambda _, row: row.obj["expired"],
    ("invoice", "subscription"): lambda _, row: subscription_of(row),
    ("invoiceitem", "pending"): lambda _, row: row.obj["invoice"] is None,
    ("event", "types"): lambda _, row: row.obj["type"],
    ("price", "lookup_keys"): lambda _, row: row.obj["lookup_key"],
    ("product", "ids"): lambda _, row: row.id,
    ("promotion_code", "coupon"): lambda _, row: row.obj["promotion"]["coupon"],
    ("subscription", "current_period_end"): _items("current_period_end"),
    ("subscription", "current_period_start"): _items("current_period_start"),
    ("subscription", "plan"): _items("price"),
    ("subscription", "price"): _items("price"),
}  # fmt: skip
"""Filters whose value is not in the column of the same name."""

CHECKED: Final = {"customer": "customer", "subscription": "subscription"}
"""Filters that must reference an existing or deleted object."""


def read_filters(store: Store, table: Table, given: RawParams, now: int, fixed: Mapping[str, str]) -> ListQuery:
    """The query of the parameters; `fixed` are parameters from the path, by name.

    ApiError for unknown, missing and invalid parameters.
    """
    query = ListQuery()
    flat = _flatten({name: value for name, value in given.items() if name not in PAGING})
    known = {each.param: each for each in table.filters}
    unknown = [name for name in flat if name not in known and _base(name) not in known]
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        raise invalid(f"Received unknown parameter{plural}: {', '.join(unknown)}", unknown[0], "parameter_unknown")
    for each in table.filters:
        if each.required and each.param not in flat and each.param not in fixed:
            raise invalid(f"Missing required param: {each.param}.", each.param, "parameter_missing")
        if each.param in given or each.param in flat or any(_base(name) == each.param for name in flat):
            _add(query, store, table, each, _pick(given, each.param))
    _hide(query, table, flat, now)
    return query


def _flatten(given: RawParams, path: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in given.items():
        full = f"{path}[{name}]" if path else name
        if isinstance(value, dict) and as_list(value) is None and not set(value) <= set(BOUNDS):
            flat |= _flatten(value, full)
        else:
            flat[full] = value
    return flat


def _base(name: str) -> str:
    return name.rpartition("[")[0]


def _pick(given: RawParams, param: str) -> Any:
    value: Any = given
    for part in param.replace("]", "").split("["):
        value = value[part] if isinstance(value, dict) else None
    return value


def _add(query: ListQuery, store: Store, table: Table, each: Filter, value: Any) -> None:
    getter = _getter(table.resource, each.param)
    match each.kind:
        case FilterKind.RANGE:
            _add_range(query, store, each.param, getter, value)
        case FilterKind.VALUES:
            items = as_list(value)
            if items is None:
                raise invalid("Invalid array", each.param)
            wanted = {_typed(each, item, each.param) for item in items}
            query.tests.append(lambda row: _matches(getter(store, row), wanted))
        case FilterKind.VALUE:
            _add_value(query, store, table, each, _typed(each, value, each.param))


def _add_value(query: ListQuery, store: Store, table: Table, each: Filter, value: Any) -> None:
    name, resource = each.param, table.resource
    if name == "status" and value == "all":
        return
    if resource == "subscription" and name == "status" and value == "ended":
        query.tests.append(lambda row: row.obj["status"] in OVER)
        return
    if name == "type" and resource == "event" and "*" in value:
        query.tests.append(lambda row: fnmatchcase(row.obj["type"], value))
        return
    target = CHECKED.get(name)
    if target and store.find(target, value) is None and value not in store.table(target).gone:
        raise missing(target, value, param=name)
    if each.column == name and (resource, name) not in GETTERS and query.equal is None:
        query.equal = (name, value)
        return
    getter = _getter(resource, name)
    query.tests.append(lambda row: _matches(getter(store, row), {value}))


def _add_range(query: ListQuery, store: Store, name: str, getter: Getter, value: Any) -> None:
    low: int | None
    high: int | None
    if not isinstance(value, dict):
        low = to_integer(value, name)
        high = low + 1
    else:
        low, high = _bounds(name, value)
    if name == "created":
        query.bound(low, high)
        return

    def inside(number: Any) -> bool:
        return number is not None and (low is None or number >= low) and (high is None or number < high)

    def test(row: Row) -> bool:
        found = getter(store, row)
        return any(map(inside, found)) if isinstance(found, list) else inside(found)

    query.tests.append(test)


def _bounds(name: str, value: RawParams) -> tuple[Any, Any]:
    low: int | None = None
    high: int | None = None
    for bound, text in value.items():
        if bound not in BOUNDS:
            raise invalid(f"Received unknown parameter: {name}[{bound}]", f"{name}[{bound}]", "parameter_unknown")
        number = to_integer(text, f"{name}[{bound}]") if isinstance(text, str) else None
        if number is None:
            raise invalid("Invalid integer", f"{name}[{bound}]", "parameter_invalid_integer")
        if bound in ("gt", "gte"):
            edge = number + (bound == "gt")
            low = edge if low is None else max(low, edge)
        else:
            edge = number + (bound == "lte")
            high = edge if high is None else min(high, edge)
    return low, high


def _typed(each: Filter, value: Any, path: str) -> Any:
    if not isinstance(value, str):
        raise invalid(f"Invalid {each.type.value}", path)
    if each.type is FieldType.BOOLEAN:
        return to_boolean(value, path)
    if each.type in (FieldType.INTEGER, FieldType.TIMESTAMP):
        return to_integer(value, path)
    check_choice(value, each.values, path)
    return value


def _getter(resource: str, param: str) -> Getter:
    known = GETTERS.get((resource, param))
    if known is not None:
        return known
    parts = param.replace("]", "").split("[")

    def get(_: Store, row: Row) -> Any:
        value: Any = row.obj
        for part in parts:
            value = value.get(part) if isinstance(value, Mapping) else None
        return (row.extra or {}).get(param) if value is None else value

    return get


def _matches(found: Any, wanted: set[Any]) -> bool:
    if isinstance(found, list):
        return any(each in wanted for each in found)
    return found in wanted


def _hide(query: ListQuery, table: Table, flat: Mapping[str, Any], now: int) -> None:
    """Exclude what Stripe hides by default."""
    for default in table.defaults:
        if default.param not in flat:
            query.tests.append(_shown_by_default(table.resource, default.param))
    match table.resource:
        case "event":
            query.bound(now - EVENT_RETENTION + 1, None)
            query.tests.append(lambda row: event_is_listed(row, now))
        case "price":
            query.tests.append(lambda row: not (row.extra or {}).get("inline"))
        case "tax_id" if table.name == "tax_ids" and "owner[type]" not in flat:
            query.tests.append(lambda row: (row.obj["owner"] or {}).get("type") != "customer")
        case "customer" | "subscription" | "quote" | "subscription_schedule":
            if "test_clock" not in flat and (table.resource == "customer" or "customer" not in flat):
                query.tests.append(lambda row: row.obj["test_clock"] is None)
        case _:
            pass


def event_is_listed(event: Row, now: int) -> bool:
    """Whether an event is visible: neither expired nor delayed."""
    visible_from: int = (event.extra or {}).get("visible_from", event.created)
    return event.created > now - EVENT_RETENTION and visible_from <= now


def _shown_by_default(resource: str, param: str) -> RowPredicate:
    if resource == "subscription":
        return lambda row: row.obj["status"] != "canceled"
    if param == "active":
        return lambda row: row.obj["active"] is True
    return lambda row: row.obj[param] == "active"
