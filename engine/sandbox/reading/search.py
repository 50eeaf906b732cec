"""Search: the documented subset of Stripe's query language, over the objects of one kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..errors import invalid
from ..params import RawParams, to_integer
from ..state import Obj, Row, Store
from .listing import LIMIT

FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "charge": frozenset(
        [
            "amount",
            "billing_details.address.postal_code",
            "created",
            "currency",
            "customer",
            "disputed",
            "metadata",
            "payment_method_details.card.brand",
            "payment_method_details.card.exp_month",
            "payment_method_details.card.exp_year",
            "payment_method_details.card.fingerprint",
            "payment_method_details.card.last4",
            "refunded",
            "status",
        ]
    ),
    "customer": frozenset({"created", "email", "metadata", "name", "phone"}),
    "invoice": frozenset(
        ["created", "currency", "customer", "metadata", "number", "receipt_number", "status", "subscription", "total"]
    ),
    "payment_intent": frozenset({"amount", "created", "currency", "customer", "metadata", "status"}),
    "price": frozenset({"active", "currency", "lookup_key", "metadata", "product", "type"}),
    "product": frozenset({"active", "description", "metadata", "name", "shippable", "url"}),
    "subscription": frozenset({"canceled_at", "created", "metadata", "status"}),
}
"""Searchable fields by kind."""

CLAUSES: Final = 10
CLAUSE: Final = re.compile(
    r"""\s*(?P<minus>-)?(?P<field>[a-z_0-9.]+)(?:\[(?P<quote>["'])(?P<key>(?:(?!(?P=quote)).)*)(?P=quote)\])?
        \s*(?P<operator>[:~]|>=|<=|>|<)\s*
        (?:(?P<q>["'])(?P<text>(?:\\.|(?!(?P=q))[^\\])*)(?P=q)|(?P<bare>null|true|false|-?\d+(?:\.\d+)?))\s*""",
    re.VERBOSE,
)
JOINT: Final = re.compile(r"(?P<word>AND|OR)\b|(?=\S)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clause:
    """One comparison. A `value` of None matches absent fields."""

    field: str
    key: str | None
    operator: str
    value: str | float | bool | None
    negated: bool

    def holds(self, obj: Obj) -> bool:
        """Whether the object matches."""
        return self._compare(self._find(obj)) is not self.negated

    def _find(self, obj: Obj) -> Any:
        if self.key is not None:
            return (obj.get(self.field) or {}).get(self.key)
        if self.field == "subscription":
            return ((obj.get("parent") or {}).get("subscription_details") or {}).get("subscription")
        found: Any = obj
        for part in self.field.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
        return found

    def _compare(self, found: Any) -> bool:
        if self.value is None:
            return found is None
        if found is None:
            return False
        match self.operator:
            case ":":
                return _same(found, self.value)
            case "~":
                return str(self.value).lower() in str(found).lower()
            case _:
                return _ordered(self.operator, found, self.value)


def _same(found: Any, value: str | float | bool) -> bool:
    if isinstance(found, bool):
        return str(found).lower() == str(value).lower()
    if isinstance(found, int | float) and not isinstance(value, bool):
        return bool(found == float(value)) if _numeric(value) else False
    return str(found).lower() == str(value).lower()


def _numeric(value: str | float) -> bool:
    return isinstance(value, int | float) or value.removeprefix("-").replace(".", "", 1).isdigit()


def _ordered(operator: str, found: Any, value: str | float | bool) -> bool:
    if isinstance(found, str) or isinstance(value, bool) or not _numeric(value):
        return False
    number = float(value)
    return bool({">": found > number, "<": found < number, ">=": found >= number, "<=": found <= number}[operator])


def parse(resource: str, query: str) -> tuple[list[Clause], bool]:
    """The clauses of a query, and whether all of them must hold. ApiError for invalid syntax."""
    clauses: list[Clause] = []
    words: set[str] = set()
    place = 0
    while True:
        match = CLAUSE.match(query, place)
        if match is None:
            raise invalid(f"We were unable to parse your search query near '{query[place : place + 20]}'.", "query")
        clauses.append(_clause(resource, match))
        place = match.end()
        if place >= len(query):
            break
        joint = JOINT.match(query, place)
        words.add((joint.group("word") or "AND").upper() if joint else "AND")
        place = joint.end() if joint else place
    if len(words) > 1:
        raise invalid("You cannot combine AND and OR in one search query.", "query")
    if len(clauses) > CLAUSES:
        raise invalid(f"A search query can have up to {CLAUSES} clauses.", "query")
    return clauses, words != {"OR"}


def _clause(resource: str, match: re.Match[str]) -> Clause:
    name, operator = match["field"], match["operator"]
    if name not in FIELDS[resource]:
        raise invalid(f"Field `{name}` is an unsupported search field for resource `{resource}s`.", "query")
    if (name == "metadata") != (match["key"] is not None):
        raise invalid("Metadata is searched for by key: metadata['key']:'value'.", "query")
    value: str | float | bool | None
    if match["q"] is not None:
        value = re.sub(r"\\(.)", r"\1", match["text"])
    else:
        value = (
            {"null": None, "true": True, "false": False}.get(match["bare"], 0)
            if not _numeric(match["bare"])
            else float(match["bare"])
        )
    if operator == "~" and (not isinstance(value, str) or len(value) < 3):
        raise invalid("Substring search needs a text of at least 3 characters.", "query")
    return Clause(name, match["key"], operator, value, match["minus"] is not None)


def find(store: Store, resource: str, given: RawParams, now: int, lag: int) -> tuple[list[Row], str | None, int]:
    """The rows of one page, the token of the next page or None, and the total count.

    A write within the last `lag` seconds is not visible: its earlier object is searched, if any.
    """
    unknown = [name for name in given if name not in ("query", "limit", "page", "expand")]
    if unknown:
        raise invalid(f"Received unknown parameter: {unknown[0]}", unknown[0], "parameter_unknown")
    if not isinstance(given.get("query"), str) or not given["query"].strip():
        raise invalid("Missing required param: query.", "query", "parameter_missing")
    limit = to_integer(given["limit"], "limit") if "limit" in given else LIMIT
    if not 1 <= limit <= 100:
        raise invalid("This value must be between 1 and 100.", "limit", "parameter_invalid_integer")
    clauses, every = parse(resource, given["query"])
    found = [row for _, _, row in reversed(store.table(resource).order) if _holds(row, clauses, every, now - lag, lag)]
    start = _start(given.get("page"))
    following = start + limit
    return found[start:following], f"page_{following:x}" if following < len(found) else None, len(found)


def _holds(row: Row, clauses: list[Clause], every: bool, horizon: int, lag: int) -> bool:
    seen: Obj | None = row.obj
    if lag and row.touched > horizon:
        seen = row.before
    if seen is None:
        return False
    holds = all if every else any
    return holds(clause.holds(seen) for clause in clauses)


def _start(page: Any) -> int:
    if page is None:
        return 0
    if not isinstance(page, str) or not re.fullmatch(r"page_[0-9a-f]+", page):
        raise invalid("Invalid page token.", "page")
    return int(page.removeprefix("page_"), 16)
