"""Filters pushed down to Stripe lose no row that a SQL box could see, and Stripe accepts every request.

The model of Stripe below implements its lists (defaults, filters, pages) and is independent of the planner.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.connector import Need, Op, Predicate, Read, Request, Value
from engine.connectors.stripe.planning.reads import plan_reads
from tests.support.effort import examples

Row = Mapping[str, Value | None]

_VALUES: dict[str, dict[str, list[Value | None]]] = {
    "charges": {"customer": ["cus_a", "cus_b", None], "payment_intent": ["pi_a", None], "amount": [1, 2]},
    "prices": {
        "active": [True, False],
        "currency": ["eur", "usd"],
        "type": ["one_time", "recurring", "brand_new"],
        "lookup_key": ["k1", "k2", "k3", None],
    },
    "subscriptions": {
        "status": ["active", "trialing", "canceled", "incomplete_expired", "brand_new"],
        "customer": ["cus_a", "cus_b"],
        "collection_method": ["charge_automatically", "send_invoice"],
    },
    "invoices": {
        "status": ["draft", "open", "paid", None],
        "customer": ["cus_a", "cus_b"],
        "due_date": [10, 20, 30, None],
    },
    "promotion_codes": {"active": [True, False], "code": ["SPRING", "spring", "FALL"]},
    "topups": {"status": ["pending", "succeeded", "reversed"], "amount": [1, 10, 20]},
    "events": {"type": ["charge.captured", "charge.failed", "brand.new"]},
    "payouts": {"status": ["paid", "in_transit", "pending"], "arrival_date": [10, 20]},
    "invoice_items": {"customer": ["cus_a", "cus_b"], "invoice": ["in_a", None]},
    "invoice_line_items": {"invoice": ["in_a", "in_b"], "amount": [1, 2]},
    "subscription_items": {"subscription": ["sub_a", "sub_b"], "quantity": [1, None]},
    "tax_registrations": {"status": ["active", "expired", "scheduled"]},
    "payment_methods": {"customer": ["cus_a", "cus_b", None], "type": ["card", "sepa_debit"]},
}
_TIMES = {"invoice_items": "date"}
_TIMELESS = frozenset({"invoice_line_items", "subscription_items", "tax_registrations", "payment_methods"})
_WINDOWED = frozenset(_VALUES) - _TIMELESS
_ACCEPTED: dict[tuple[str, str], frozenset[str]] = {
    ("prices", "type"): frozenset({"one_time", "recurring"}),
    ("subscriptions", "collection_method"): frozenset({"charge_automatically", "send_invoice"}),
    ("subscriptions", "status"): frozenset(
        {"active", "all", "canceled", "ended", "incomplete", "incomplete_expired", "past_due", "paused"}
        | {"trialing", "unpaid"}
    ),
    ("invoices", "status"): frozenset({"draft", "open", "paid", "uncollectible", "void"}),
    ("topups", "status"): frozenset({"canceled", "failed", "pending", "succeeded"}),
    ("payouts", "status"): frozenset({"paid", "pending", "failed", "canceled"}),
    ("tax_registrations", "status"): frozenset({"active", "all", "expired", "scheduled"}),
}
_FLAGS = frozenset({("prices", "active"), ("promotion_codes", "active")})
_RANGES = frozenset({("invoices", "due_date"), ("topups", "amount"), ("payouts", "arrival_date")})
_FILTERS = {
    "charges": {"customer", "payment_intent"},
    "prices": {"active", "currency", "type", "lookup_keys"},
    "subscriptions": {"status", "customer", "collection_method"},
    "invoices": {"status", "customer", "due_date"},
    "promotion_codes": {"active", "code"},
    "topups": {"status", "amount"},
    "events": {"type", "types"},
    "payouts": {"status", "arrival_date"},
    "invoice_items": {"customer", "invoice"},
    "invoice_line_items": set[str](),
    "subscription_items": {"subscription"},
    "tax_registrations": {"status"},
    "payment_methods": {"customer", "type"},
}
_PATHS = {
    "invoice_items": "/v1/invoiceitems",
    "subscription_items": "/v1/subscription_items",
    "tax_registrations": "/v1/tax/registrations",
}
_LISTS = {"lookup_keys": "lookup_key", "types": "type"}


@dataclass(frozen=True)
class Stripe:
    """Responds as Stripe would, from rows of one table. A request that Stripe refuses raises an AssertionError."""

    table: str

    def answers(self, row: Row, request: Request) -> bool:
        """Whether the pages of the response contain the row."""
        base = _PATHS.get(self.table, f"/v1/{self.table}")
        if self.table == "invoice_line_items":
            _, _, _, invoice, last = request.path.split("/")
            assert last == "lines"
            assert request.per == "invoices" or "{" not in invoice
            return "{" in invoice or row["invoice"] == invoice
        if request.path != base:
            assert request.path.startswith(base + "/")
            assert not request.params
            return row["id"] == request.path.removeprefix(base + "/")
        lists: dict[str, set[str]] = {}
        scalars: dict[str, str] = {}
        for name, text in request.params.items():
            head, _, rest = name.partition("[")
            if rest and rest.rstrip("]").isdigit():
                lists.setdefault(head, set()).add(text)
            elif name != "limit":
                scalars[name] = text
        return (
            all(self._one(row, name, text) for name, text in scalars.items())
            and all(self._any(row, name, texts) for name, texts in lists.items())
            and self._not_hidden(row, scalars)
        )

    def _not_hidden(self, row: Row, params: Mapping[str, str]) -> bool:
        if self.table == "prices" and "active" not in params:
            return row["active"] is True
        if self.table == "subscriptions" and "status" not in params:
            return row["status"] != "canceled"
        if self.table == "tax_registrations" and "status" not in params:
            return row["status"] == "active"
        return True

    def _any(self, row: Row, name: str, texts: set[str]) -> bool:
        assert name in _FILTERS[self.table], name
        assert len(texts) <= 10
        return row[_LISTS[name]] in texts

    def _one(self, row: Row, name: str, text: str) -> bool:
        head, _, bound = name.partition("[")
        if bound:
            assert (head == "created" and self.table in _WINDOWED) or (self.table, head) in _RANGES
            value = row[_TIMES.get(self.table, "created") if head == "created" else head]
            number = int(text)
            assert 0 <= number <= 4_200_000_000
            if not isinstance(value, int):
                return False
            return {"gte]": value >= number, "lt]": value < number}[bound]
        assert name in _FILTERS[self.table], name
        assert text
        assert text == text.strip()
        if text == "{subscription}":
            return True
        accepted = _ACCEPTED.get((self.table, name))
        assert accepted is None or text in accepted, f"Stripe answers 400 to {name}={text}"
        value = row[name]
        if (self.table, name) in _FLAGS:
            assert text in ("true", "false")
            return value is (text == "true")
        if (self.table, name) == ("promotion_codes", "code"):
            return str(value).lower() == text.lower()
        if name == "status" and text == "all":
            return True
        if name == "status" and text == "ended":
            return value in ("canceled", "incomplete_expired")
        if name == "currency":
            assert text.islower()
            assert len(text) == 3
        return value == text


def _holds(row: Row, predicate: Predicate) -> bool:
    """The comparison as in SQL: NULL matches nothing, and numbers are compared only with numbers."""
    value = row.get(predicate.column)
    if value is None:
        return False
    return any(_compare(value, predicate.op, each) for each in predicate.values)


def _compare(value: Value, op: Op, other: Value) -> bool:
    numeric = isinstance(value, int | float) and not isinstance(value, bool)
    if numeric != (isinstance(other, int | float) and not isinstance(other, bool)) or (
        isinstance(value, bool) is not isinstance(other, bool)
    ):
        return False
    if op in (Op.EQ, Op.IN):
        return value == other
    if not numeric or isinstance(value, str) or isinstance(other, str):
        return False
    return {Op.LT: value < other, Op.LE: value <= other, Op.GT: value > other, Op.GE: value >= other}[op]


def _matches(row: Row, where: tuple[tuple[Predicate, ...], ...]) -> bool:
    return any(all(_holds(row, predicate) for predicate in conjunction) for conjunction in where)


def _time(table: str) -> str:
    return _TIMES.get(table, "created")


@st.composite
def _rows(draw: st.DrawFn, table: str) -> list[Row]:
    columns = _VALUES[table]
    count = draw(st.integers(1, 8))
    return [
        {
            "id": f"id_{number}",
            _time(table): draw(st.integers(0, 40)),
            **{name: draw(st.sampled_from(values)) for name, values in columns.items()},
        }
        for number in range(count)
    ]


_numbers = st.integers(-3, 42) | st.sampled_from([5.5, 20.0, 1e12, -1e12, float("inf"), float("nan")])
_odd: st.SearchStrategy[Value] = st.sampled_from(["", " x ", "ended", "all", "EUR", True, 3, "id_0", "../x", "a\nb"])


@st.composite
def _predicates(draw: st.DrawFn, table: str) -> Predicate:
    columns = _VALUES[table]
    name = draw(st.sampled_from([*columns, "id", _time(table), _time(table), "livemode"]))
    if name == _time(table) or (table, name) in _RANGES:
        op = draw(st.sampled_from(list(Op)))
        count = draw(st.integers(1, 3)) if op is Op.IN else 1
        return Predicate(name, op, tuple(draw(_numbers) for _ in range(count)))
    known: list[Value] = [each for each in columns.get(name, [f"id_{n}" for n in range(4)]) if each is not None]
    values = st.sampled_from(known) if draw(st.integers(0, 5)) else _odd
    op = draw(st.sampled_from([Op.EQ, Op.EQ, Op.IN, Op.GE]))
    count = draw(st.integers(1, 4)) if op is Op.IN else 1
    return Predicate(name, op, tuple(dict.fromkeys(draw(values) for _ in range(count))))


@st.composite
def _needs(draw: st.DrawFn, table: str) -> list[Need]:
    conjunction = st.lists(_predicates(table), max_size=4).map(tuple)
    found = []
    for _ in range(draw(st.integers(1, 2))):
        where = tuple(draw(st.lists(conjunction, min_size=1, max_size=3)))
        limited = draw(st.booleans())
        newest = limited and draw(st.booleans())
        found.append(Need(table, ("id",), where, draw(st.integers(0, 3)) if limited else None, newest))
    return found


@st.composite
def _cases(draw: st.DrawFn) -> tuple[str, list[Row], list[Need]]:
    table = draw(st.sampled_from(sorted(_VALUES)))
    return table, draw(_rows(table)), draw(_needs(table))


def _newest(table: str, rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: -int(row[_time(table)] or 0))


def _read_of(table: str, needs: list[Need]) -> Read:
    return next(read for read in plan_reads(needs) if read.table == table)


def _fetched(table: str, rows: list[Row], read: Read) -> list[str]:
    """The IDs that the requests of the read return, each up to its limit. Lists without times have any order."""
    stripe = Stripe(table)
    newest = rows if table in _TIMELESS else _newest(table, rows)
    found: dict[str, None] = {}
    for request in read.requests:
        answered = [str(row["id"]) for row in newest if stripe.answers(row, request)]
        found |= dict.fromkeys(answered[: read.limit])
    return list(found)


@settings(max_examples=examples(800), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_cases())
def test_planned_reads_fetch_every_row_that_a_box_could_see(case: tuple[str, list[Row], list[Need]]) -> None:
    table, rows, needs = case
    read = _read_of(table, needs)
    fetched = set(_fetched(table, rows, read))
    for need in needs:
        matching = [row for row in _newest(table, rows) if _matches(row, need.where)]
        wanted = matching if need.limit is None else matching[: need.limit]
        if need.limit is None or need.newest_first:
            assert {str(row["id"]) for row in wanted} <= fetched
        else:
            assert len([row for row in matching if row["id"] in fetched]) >= len(wanted)


@st.composite
def _newest_cases(draw: st.DrawFn) -> tuple[str, list[Row], list[Need]]:
    """Several needs of the newest rows, with overlapping comparisons that Stripe supports."""
    table = draw(st.sampled_from(["charges", "invoices", "prices", "payment_methods"]))
    column = {"invoices": "status", "prices": "type"}.get(table, "customer")
    values = [each for each in _VALUES[table][column] if each is not None][:2]
    wheres = st.sampled_from(
        [
            ((),),
            *(((Predicate(column, Op.EQ, (value,)),),) for value in values),
            ((Predicate("created", Op.GE, (10,)),),),
            ((Predicate("created", Op.LT, (30,)),),),
            ((Predicate("created", Op.IN, (0, 1, 2, 39, 40)),),),
        ]
    )
    needs = [
        Need(table, ("id",), draw(wheres), draw(st.integers(1, 3)), newest_first=True)
        for _ in range(draw(st.integers(1, 3)))
    ]
    return table, draw(_rows(table)), needs


@settings(max_examples=examples(500), deadline=None)
@given(_newest_cases())
def test_planned_reads_fetch_the_newest_rows_of_each_need(case: tuple[str, list[Row], list[Need]]) -> None:
    table, rows, needs = case
    fetched = set(_fetched(table, rows, _read_of(table, needs)))
    for need in needs:
        newest = [row for row in _newest(table, rows) if _matches(row, need.where)][: need.limit]
        assert {str(row["id"]) for row in newest} <= fetched


@settings(max_examples=examples(300), deadline=None)
@given(_rows("prices"), st.lists(st.sets(st.sampled_from(["k1", "k2", "k3"]), min_size=1), min_size=1, max_size=3))
def test_planned_reads_unite_array_filters(rows: list[Row], wanted: list[set[str]]) -> None:
    where = tuple((Predicate("lookup_key", Op.IN, tuple(sorted(keys))),) for keys in wanted)
    fetched = _fetched("prices", rows, _read_of("prices", [Need("prices", ("id",), where)]))
    assert sorted(fetched) == sorted(str(row["id"]) for row in rows if row["lookup_key"] in set[str]().union(*wanted))


@settings(max_examples=examples(600), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_cases())
def test_planned_coverage_claims_only_what_was_requested(case: tuple[str, list[Row], list[Need]]) -> None:
    """A row in `where` that is missing in the responses counts as deleted, so the claim must be true."""
    table, rows, needs = case
    read = _read_of(table, [Need(each.table, each.columns, each.where) for each in needs])
    stripe = Stripe(table)
    for row in rows:
        answered = any(stripe.answers(row, request) for request in read.requests)
        if _matches(row, read.where):
            assert answered
        if any(_matches(row, need.where) for need in needs):
            assert _matches(row, read.where)


@settings(max_examples=examples(200), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_cases())
def test_planned_reads_do_not_depend_on_the_order_of_needs(case: tuple[str, list[Row], list[Need]]) -> None:
    table, rows, needs = case
    forward, backward = _read_of(table, needs), _read_of(table, needs[::-1])
    assert set(_fetched(table, rows, forward)) == set(_fetched(table, rows, backward))
