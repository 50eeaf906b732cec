"""Lists: any page size, both cursors and every filter, compared with brute force."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.sandbox.reading.filters import event_is_listed
from tests.support.effort import examples
from tests.support.sandbox.client import Client

CLIENT = Client(customers=30)
STORE = CLIENT.sandbox.world.store(CLIENT.sandbox.world.platform)
SOME = settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])

PATHS = {
    "/v1/charges": "charge",
    "/v1/customers": "customer",
    "/v1/events": "event",
    "/v1/invoices": "invoice",
    "/v1/balance_transactions": "balance_transaction",
}


def newest_first(resource: str) -> list[Any]:
    rows = sorted(STORE.table(resource).rows.values(), key=lambda row: (row.created, row.seq), reverse=True)
    return [row for row in rows if resource != "event" or event_is_listed(row, CLIENT.now)]


def ids(page: dict[str, Any]) -> list[str]:
    return [each["id"] for each in page["data"]]


@SOME
@given(
    path=st.sampled_from(sorted(PATHS)), limit=st.integers(1, 100), start=st.integers(0, 400), backward=st.booleans()
)
def test_pages_are_slices_of_the_whole_list(path: str, limit: int, start: int, backward: bool) -> None:
    whole = [row.id for row in newest_first(PATHS[path])]
    cursor = whole[start % len(whole)]
    place = whole.index(cursor)
    name = "ending_before" if backward else "starting_after"
    page = CLIENT.get(path, [("limit", str(limit)), (name, cursor)])
    if backward:
        assert ids(page) == whole[max(0, place - limit) : place]
        assert page["has_more"] == (place > limit)
    else:
        assert ids(page) == whole[place + 1 : place + 1 + limit]
        assert page["has_more"] == (place + 1 + limit < len(whole))
    assert (page["object"], page["url"]) == ("list", path)


@SOME
@given(
    path=st.sampled_from(["/v1/charges", "/v1/invoices", "/v1/events"]),
    limit=st.integers(1, 60),
    bounds=st.dictionaries(
        st.sampled_from(["gt", "gte", "lt", "lte"]), st.tuples(st.integers(0, 10**6), st.integers(-1, 1))
    ),
)
def test_created_bounds_equal_brute_force(path: str, limit: int, bounds: dict[str, tuple[int, int]]) -> None:
    rows = newest_first(PATHS[path])
    edges = {name: rows[pick % len(rows)].created + shift for name, (pick, shift) in bounds.items()}
    compare = {"gt": int.__gt__, "gte": int.__ge__, "lt": int.__lt__, "lte": int.__le__}
    expected = [row.id for row in rows if all(compare[name](row.created, edge) for name, edge in edges.items())]
    params = [(f"created[{name}]", str(edge)) for name, edge in edges.items()]
    assert [each["id"] for each in CLIENT.everything(path, params, limit=limit)] == expected


def test_created_accepts_a_single_timestamp() -> None:
    row = newest_first("charge")[5]
    found = CLIENT.get("/v1/charges", [("created", str(row.created))])["data"]
    assert found
    assert {each["created"] for each in found} == {row.created}


def matching(resource: str, **wanted: Any) -> list[str]:
    return [row.id for row in newest_first(resource) if all(row.obj.get(key) == value for key, value in wanted.items())]


@SOME
@given(pick=st.integers(0, 500), limit=st.integers(1, 50), data=st.data())
def test_combined_filters_equal_brute_force(pick: int, limit: int, data: st.DataObject) -> None:
    path, names = data.draw(
        st.sampled_from(
            [
                ("/v1/charges", ("customer", "payment_intent")),
                ("/v1/invoices", ("customer", "status", "collection_method")),
                ("/v1/balance_transactions", ("currency", "type", "source")),
                ("/v1/customers", ("email",)),
            ]
        )
    )
    rows = newest_first(PATHS[path])
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True))
    wanted = {name: rows[(pick + 31 * place) % len(rows)].obj[name] for place, name in enumerate(chosen)}
    wanted = {name: value for name, value in wanted.items() if isinstance(value, str)}
    found = CLIENT.everything(path, list(wanted.items()), limit=limit)
    assert [each["id"] for each in found] == matching(PATHS[path], **wanted)


def test_canceled_subscriptions_are_hidden_by_default() -> None:
    rows = newest_first("subscription")
    by_status = lambda keep: [row.id for row in rows if keep(row.obj["status"])]  # noqa: E731
    listed = lambda *params: [each["id"] for each in CLIENT.everything("/v1/subscriptions", params)]  # noqa: E731
    assert listed() == by_status(lambda status: status != "canceled")
    assert listed(("status", "all")) == by_status(lambda _: True)
    assert listed(("status", "canceled")) == by_status(lambda status: status == "canceled") != []
    assert listed(("status", "ended")) == by_status(lambda status: status in ("canceled", "incomplete_expired"))
    price = next(iter(STORE.table("subscription_item").rows.values())).obj["price"]
    expected = {
        row.obj["subscription"] for row in STORE.table("subscription_item").rows.values() if row.obj["price"] == price
    }
    assert set(listed(("price", price), ("status", "all"))) == expected


def test_inactive_prices_are_hidden_by_default() -> None:
    active = CLIENT.everything("/v1/prices")
    inactive = CLIENT.everything("/v1/prices", [("active", "false")])
    assert len(active) + len(inactive) == len(STORE.table("price").rows)
    assert all(each["active"] for each in active)
    assert inactive
    yearly = CLIENT.everything("/v1/prices", [("recurring[interval]", "year"), ("currency", "jpy")])
    assert yearly
    assert {(each["recurring"]["interval"], each["currency"]) for each in yearly} == {("year", "jpy")}
    keys = [("lookup_keys[]", "team_monthly_usd"), ("lookup_keys[]", "team_yearly_eur"), ("lookup_keys[]", "nope")]
    assert {each["lookup_key"] for each in CLIENT.everything("/v1/prices", keys)} == {
        "team_monthly_usd",
        "team_yearly_eur",
    }


def test_events_are_filtered_by_type_types_and_pattern() -> None:
    every = CLIENT.everything("/v1/events")
    for params, keep in (
        ([("type", "invoice.paid")], lambda kind: kind == "invoice.paid"),
        ([("type", "invoice.*")], lambda kind: kind.startswith("invoice.")),
        (
            [("types[]", "charge.succeeded"), ("types[]", "refund.created")],
            lambda kind: kind in ("charge.succeeded", "refund.created"),
        ),
    ):
        expected = [each["id"] for each in every if keep(each["type"])]
        assert [each["id"] for each in CLIENT.everything("/v1/events", params)] == expected != []


def test_nested_filters_select_rows() -> None:
    invoice = next(row for row in newest_first("invoice") if row.obj["parent"])
    subscription = invoice.obj["parent"]["subscription_details"]["subscription"]
    found = CLIENT.everything("/v1/invoices", [("subscription", subscription)])
    assert invoice.id in {each["id"] for each in found}
    assert all(each["parent"]["subscription_details"]["subscription"] == subscription for each in found)
    payout = newest_first("payout")[0]
    covered = CLIENT.everything("/v1/balance_transactions", [("payout", payout.id)])
    assert sum(each["net"] for each in covered) == 0
    pending = CLIENT.everything("/v1/invoiceitems", [("pending", "true")])
    assert all(each["invoice"] is None for each in pending)
    method = newest_first("payment_method")[0]
    own = CLIENT.get(f"/v1/customers/{method.obj['customer']}/payment_methods")
    assert ids(own) == [method.id]
    assert own["url"] == f"/v1/customers/{method.obj['customer']}/payment_methods"


def test_embedded_lists_have_ten_items_and_continue_at_their_url() -> None:
    long = [row for row in newest_first("invoice") if len(STORE.table("line_item").children(row.id)) > 100]
    assert long
    for row in long:
        embedded = CLIENT.get(f"/v1/invoices/{row.id}")["lines"]
        lines = [line.id for line in STORE.table("line_item").children(row.id)]
        assert (len(embedded["data"]), embedded["has_more"], embedded["total_count"]) == (10, True, len(lines))
        assert embedded["url"] == f"/v1/invoices/{row.id}/lines"
        assert ids(embedded) == lines[:10]
        rest = CLIENT.everything(embedded["url"], limit=7)
        assert [each["id"] for each in rest] == lines
        page = CLIENT.get(embedded["url"], [("starting_after", lines[9]), ("limit", "50")])
        assert ids(page) == lines[10:60]
        before = CLIENT.get(embedded["url"], [("ending_before", lines[9]), ("limit", "4")])
        assert ids(before) == lines[5:9]
    many = max(newest_first("subscription"), key=lambda row: len(STORE.table("subscription_item").children(row.id)))
    items = CLIENT.get(f"/v1/subscriptions/{many.id}")["items"]
    assert items["has_more"]
    assert len(items["data"]) == 10
    listed = CLIENT.everything("/v1/subscription_items", [("subscription", many.id)], limit=3)
    assert [each["id"] for each in listed] == [row.id for row in STORE.table("subscription_item").children(many.id)]


@pytest.mark.parametrize(
    ("params", "param", "code"),
    [
        ([("limit", "0")], "limit", "parameter_invalid_integer"),
        ([("limit", "101")], "limit", "parameter_invalid_integer"),
        ([("limit", "ten")], "limit", "parameter_invalid_integer"),
        ([("limit", "")], "limit", "parameter_invalid_integer"),
        ([("color", "red")], "color", "parameter_unknown"),
        ([("created[after]", "1")], "created[after]", "parameter_unknown"),
        ([("created[gt]", "soon")], "created[gt]", "parameter_invalid_integer"),
        ([("created", "soon")], "created", "parameter_invalid_integer"),
        ([("starting_after", "ch_gone")], "starting_after", "resource_missing"),
        ([("ending_before", "ch_gone")], "ending_before", "resource_missing"),
        ([("customer", "cus_nobody")], "customer", "resource_missing"),
        ([("starting_after", "a"), ("ending_before", "b")], "starting_after", None),
    ],
)
def test_an_invalid_list_parameter_is_rejected(params: list[tuple[str, str]], param: str, code: str | None) -> None:
    reply = CLIENT.ask("GET", "/v1/charges", params)
    assert reply.status == 400
    assert reply.error.get("param") == param
    assert reply.error.get("code") == code
    assert reply.error["type"] == "invalid_request_error"


def test_closed_sets_and_required_filters_are_enforced() -> None:
    assert CLIENT.ask("GET", "/v1/invoices", [("status", "nice")]).error["param"] == "status"
    assert CLIENT.ask("GET", "/v1/prices", [("active", "yes")]).error["code"] == "parameter_invalid_boolean"
    missing = CLIENT.ask("GET", "/v1/subscription_items")
    assert (missing.status, missing.error["param"], missing.error["code"]) == (400, "subscription", "parameter_missing")
    assert CLIENT.ask("GET", "/v1/invoices/in_gone/lines").status == 404


def test_a_deleted_cursor_is_rejected() -> None:
    client = Client(customers=10)
    page = client.get("/v1/customers", [("limit", "3")])
    cursor = page["data"][-1]["id"]
    client.delete(f"/v1/customers/{cursor}")
    reply = client.ask("GET", "/v1/customers", [("starting_after", cursor)])
    assert (reply.status, reply.error["code"], reply.error["param"]) == (400, "resource_missing", "starting_after")


def test_every_list_of_the_catalogue_responds() -> None:
    catalogue = CLIENT.sandbox.catalogue
    for table in catalogue.tables.values():
        params = {each.param: (each.values or ("1",))[0] for each in table.filters if each.required}
        if table.parents and table.parents[0].in_path:
            continue
        for parent in table.parents:
            rows = STORE.table(catalogue.tables[parent.table].resource).rows
            params[parent.param] = next(iter(rows), "none")
        reply = CLIENT.ask("GET", table.path, list(params.items()))
        assert reply.status in (200, 400), (table.name, reply.body)
        if reply.status == 400:
            assert reply.error["code"] == "resource_missing", (table.name, reply.body)
