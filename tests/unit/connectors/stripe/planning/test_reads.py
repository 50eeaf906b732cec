"""Planning of the requests that answer the needs."""

from __future__ import annotations

import json

import pytest

from engine.connector import Need, Op, Predicate, Read, Value
from engine.connectors.stripe.planning.read_options import (
    Embedded,
    Listed,
    NoRows,
    ParentParam,
    ParentRows,
    Retrieved,
    TableOptions,
    decode_options,
    expand_params,
    options_of,
    variants_of,
)
from engine.connectors.stripe.planning.reads import plan_reads


def _is(column: str, *values: Value, op: Op | None = None) -> Predicate:
    return Predicate(column, op or (Op.EQ if len(values) == 1 else Op.IN), values)


def _need(
    table: str, *where: tuple[Predicate, ...], columns: tuple[str, ...] = ("id",), limit: int | None = None
) -> Need:
    return Need(table, columns, where or ((),), limit, newest_first=limit is not None)


def _plan(*needs: Need) -> dict[str, Read]:
    return {read.table: read for read in plan_reads(needs)}


def _options(read: Read) -> TableOptions:
    found = options_of(read)
    assert decode_options(json.loads(json.dumps(read.options))) == found
    return found


def _lines(read: Read) -> list[str]:
    return [
        f"{each.method} {each.path} {'&'.join(f'{k}={v}' for k, v in sorted(each.params.items()))}"
        + (f" per {each.per}" if each.per else "")
        for each in read.requests
    ]


@pytest.mark.parametrize(
    ("need", "lines"),
    [
        (_need("charges"), ["GET /v1/charges limit=100"]),
        (
            _need("charges", (_is("created", 100, op=Op.GT), _is("created", 200, op=Op.LE))),
            ["GET /v1/charges created[gte]=101&created[lt]=201&limit=100"],
        ),
        (_need("charges", (_is("created", 100.5, op=Op.GE),)), ["GET /v1/charges created[gte]=101&limit=100"]),
        (
            _need("charges", (_is("customer", "cus_1"), _is("amount", 5, op=Op.GT))),
            ["GET /v1/charges customer=cus_1&limit=100"],
        ),
        (_need("charges", (_is("transfer_group", "g"),)), ["GET /v1/charges limit=100"]),
        (_need("subscriptions"), ["GET /v1/subscriptions limit=100&status=all"]),
        (_need("subscriptions", (_is("status", "canceled"),)), ["GET /v1/subscriptions limit=100&status=canceled"]),
        (_need("subscriptions", (_is("status", "ended"),)), ["GET /v1/subscriptions limit=100&status=all"]),
        (_need("subscriptions", (_is("status", "new_word"),)), ["GET /v1/subscriptions limit=100&status=all"]),
        (
            _need("subscriptions", (_is("status", "active", "trialing"),)),
            ["GET /v1/subscriptions limit=100&status=active", "GET /v1/subscriptions limit=100&status=trialing"],
        ),
        (
            _need("subscriptions", (_is("status", "active", "canceled"), _is("status", "canceled", "unpaid"))),
            ["GET /v1/subscriptions limit=100&status=canceled"],
        ),
        (_need("prices"), ["GET /v1/prices active=true&limit=100", "GET /v1/prices active=false&limit=100"]),
        (_need("prices", (_is("active", True),)), ["GET /v1/prices active=true&limit=100"]),
        (
            _need("prices", (_is("lookup_key", "a", "b"), _is("active", False))),
            ["GET /v1/prices active=false&limit=100&lookup_keys[0]=a&lookup_keys[1]=b"],
        ),
        (_need("tax_locations"), ["GET /v1/tax/locations limit=100&type=performance"]),
        (_need("payouts", (_is("status", "in_transit"),)), ["GET /v1/payouts limit=100"]),
        (
            _need("invoices", (_is("due_date", 10, op=Op.LT),)),
            ["GET /v1/invoices due_date[lt]=10&limit=100"],
        ),
        (_need("balance_transactions", (_is("currency", "EUR"),)), ["GET /v1/balance_transactions limit=100"]),
        (
            _need("balance_transactions", (_is("currency", "eur"),)),
            ["GET /v1/balance_transactions currency=eur&limit=100"],
        ),
        (_need("customers", (_is("email", " a@b.c"),)), ["GET /v1/customers limit=100"]),
        (_need("customers", (_is("id", "cus_1"),)), ["GET /v1/customers/cus_1 "]),
        (_need("customers", (_is("id", "../events"),)), ["GET /v1/customers limit=100"]),
        (_need("report_types"), ["GET /v1/reporting/report_types "]),
        (
            _need("invoice_line_items", (_is("invoice", "in_1"),)),
            ["GET /v1/invoices/in_1/lines limit=100"],
        ),
        (
            _need("subscription_items", (_is("subscription", "sub_1", "sub_2"),)),
            [
                "GET /v1/subscription_items limit=100&subscription=sub_1",
                "GET /v1/subscription_items limit=100&subscription=sub_2",
            ],
        ),
        (_need("subscription_items", (_is("id", "si_1"),)), ["GET /v1/subscription_items/si_1 "]),
    ],
)
def test_need_becomes_its_requests(need: Need, lines: list[str]) -> None:
    reads = _plan(need)
    assert list(reads) == [need.table]
    assert _lines(reads[need.table]) == lines


@pytest.mark.parametrize(
    "where",
    [
        (),
        ((_is("status", "active"), _is("status", "canceled")),),
        ((_is("created", 5, op=Op.LT), _is("created", 5, op=Op.GE)),),
        ((_is("id", "a"), _is("id", "b")),),
        ((_is("created", 5.5),),),
    ],
)
def test_contradictory_filter_makes_no_request(where: tuple[tuple[Predicate, ...], ...]) -> None:
    read = plan_reads([Need("subscriptions", ("id",), where)])[0]
    assert read.requests == ()
    assert read.where == ()
    assert _options(read) == NoRows(table="subscriptions")


def test_alternatives_become_one_read() -> None:
    read = _plan(_need("charges", (_is("customer", "cus_1"),), (_is("created", 50, op=Op.GE),)))["charges"]
    assert _lines(read) == ["GET /v1/charges customer=cus_1&limit=100", "GET /v1/charges created[gte]=50&limit=100"]
    everything = _plan(_need("charges", (_is("customer", "cus_1"),), (_is("amount", 3),)))["charges"]
    assert _lines(everything) == ["GET /v1/charges limit=100"]
    touching = _plan(
        _need("charges", (_is("created", 50, op=Op.GE), _is("created", 70, op=Op.LT)), (_is("created", 70),))
    )["charges"]
    assert _lines(touching) == ["GET /v1/charges created[gte]=50&created[lt]=71&limit=100"]


def test_filter_with_many_values_is_dropped() -> None:
    customers = tuple(f"cus_{number}" for number in range(11))
    read = _plan(_need("charges", (_is("customer", *customers), _is("created", 5, op=Op.GE))))["charges"]
    assert _lines(read) == ["GET /v1/charges created[gte]=5&limit=100"]


def test_many_alternatives_become_one_request_over_their_windows() -> None:
    where = tuple(
        (_is("customer", f"cus_{n}"), _is("created", n, op=Op.GE), _is("created", 99, op=Op.LT)) for n in range(40)
    )
    read = _plan(_need("charges", *where))["charges"]
    assert _lines(read) == ["GET /v1/charges created[lt]=99&limit=100"]


def test_needs_of_one_table_become_one_read() -> None:
    read = _plan(
        Need("charges", ("amount", "_read_at"), ((_is("customer", "cus_1"),),)),
        Need("charges", ("id", "metadata"), ((_is("customer", "cus_2"),),)),
    )["charges"]
    assert read.columns == ("id", "amount", "metadata", "_read_at")
    assert len(read.requests) == 2


def test_embedded_children_are_read_with_their_parents() -> None:
    reads = _plan(_need("invoice_line_items"), _need("invoices", (_is("status", "paid"),)))
    assert list(reads) == ["invoice_line_items", "invoices"]
    assert _lines(reads["invoices"]) == ["GET /v1/invoices limit=100"], "all parents are needed, not the paid ones only"
    assert reads["invoices"].columns == ("id", "lines")
    options = _options(reads["invoice_line_items"])
    assert isinstance(options, Embedded)
    param = ParentParam(param="invoice", column="id", field="invoice", in_path=True)
    assert options.parent == ParentRows(table="invoices", params=(param,))
    assert options.field == "lines"


def test_children_that_must_be_expanded_expand_their_parents() -> None:
    reads = _plan(_need("checkout_session_line_items"))
    assert _lines(reads["checkout_sessions"]) == ["GET /v1/checkout/sessions expand[0]=data.line_items&limit=100"]
    assert reads["checkout_session_line_items"].requests[0].per == "checkout_sessions"


def test_children_are_listed_for_each_parent() -> None:
    reads = _plan(_need("setup_attempts", (_is("created", 5, op=Op.GE),)))
    assert _lines(reads["setup_attempts"]) == [
        "GET /v1/setup_attempts created[gte]=5&limit=100&setup_intent={setup_intent} per setup_intents"
    ]
    assert _lines(reads["setup_intents"]) == ["GET /v1/setup_intents limit=100"]
    owners = _plan(_need("financial_connections_account_owners"))
    assert owners["financial_connections_accounts"].columns == ("id", "ownership")


def test_columns_that_must_be_expanded_add_a_parameter() -> None:
    listed = _plan(_need("prices", (_is("active", True),), columns=("id", "tiers")))["prices"]
    assert listed.requests[0].params == {"active": "true", "expand[0]": "data.tiers", "limit": "100"}
    retrieved = _plan(_need("prices", (_is("id", "price_1"),), columns=("id", "tiers")))["prices"]
    assert retrieved.requests[0].params == {"expand[0]": "tiers"}
    assert isinstance(_options(retrieved), Retrieved)
    assert expand_params(_options(retrieved)) == {"expand[0]": "tiers"}


@pytest.mark.parametrize(
    ("need", "limit"),
    [
        (_need("charges", limit=20), 20),
        (_need("charges", (_is("customer", "cus_1"), _is("created", 5, op=Op.GE)), limit=20), 20),
        (_need("charges", (_is("amount", 5),), limit=20), None),
        (_need("promotion_codes", (_is("code", "X"),), limit=20), None),
        (_need("payment_links", limit=20), None),
        (Need("payment_links", ("id",), limit=20), 20),
        (Need("invoice_line_items", ("id",), limit=20), None),
        (_need("prices", limit=3), 3),
    ],
)
def test_limit_is_sent_only_where_it_is_sound(need: Need, limit: int | None) -> None:
    read = _plan(need)[need.table]
    options = _options(read)
    assert read.limit == limit
    assert (options.limit if isinstance(options, Listed) else None) == limit
    if limit is not None:
        assert all(request.params["limit"] == str(limit) for request in read.requests)


def test_limits_of_several_needs_are_combined() -> None:
    both = _plan(_need("charges", limit=20), _need("charges", limit=50))["charges"]
    assert both.limit == 50
    one = _plan(_need("charges", limit=20), _need("charges", (_is("customer", "cus_1"),)))["charges"]
    assert one.limit is None
    apart = _plan(_need("charges", limit=5), _need("charges", (_is("customer", "cus_1"),), limit=7))["charges"]
    assert apart.limit == 7
    assert len(apart.requests) == 2, "the newest of a customer are not among the newest of all"
    assert _plan(_need("charges", limit=0))["charges"].requests == ()


def test_coverage_of_a_read_is_what_its_requests_answer() -> None:
    prices = _plan(_need("prices"))["prices"]
    assert prices.where == ((_is("active", True),), (_is("active", False),))
    assert [each.where for each in variants_of(_options(prices))] == [(_is("active", True),), (_is("active", False),)]
    assert _plan(_need("subscriptions"))["subscriptions"].where == ((),)
    charges = _plan(_need("charges", (_is("created", 5, op=Op.GT), _is("amount", 1))))["charges"]
    assert charges.where == ((Predicate("created", Op.GE, (6,)),),)
    lines = _plan(_need("invoice_line_items", (_is("invoice", "in_1"), _is("amount", 1))))["invoice_line_items"]
    assert lines.where == ((_is("invoice", "in_1"),),)


@pytest.mark.parametrize(
    ("need", "why"),
    [
        (_need("charges"), "lists"),
        (
            _need("charges", (_is("created", 1704067200, op=Op.GE), _is("amount", 5)), limit=None),
            "lists; asks only for created >= 2024-01-01; leaves `amount` to the SQL box",
        ),
        (
            _need("quotes", (_is("status", "open"),)),
            "lists; asks only for status = open; Stripe does not list quotes on a test clock, unless `test_clock` or"
            " `customer` is given",
        ),
        (_need("coupons", limit=5), "lists; stops after the newest 5"),
        (_need("coupons", (_is("id", "a", "b"),)), "retrieves 2 by id; asks only for id in a, b"),
        (_need("coupons", ()), "lists"),
        (Need("coupons", ("id",), ()), "no row can match"),
    ],
)
def test_read_shows_why_it_is_needed(need: Need, why: str) -> None:
    assert _plan(need)[need.table].why == why


def test_need_of_an_unknown_table_raises() -> None:
    with pytest.raises(KeyError):
        plan_reads([_need("nothing")])
