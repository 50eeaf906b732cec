"""Events, taken to the tables that they speak of."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.connector import Coverage, EventInterval, Mirror, Need, Pace, Window
from engine.connectors.stripe import CONNECTOR
from engine.connectors.stripe.catalogue import load_catalogue
from engine.connectors.stripe.extract.changes import ChangeReader
from engine.connectors.stripe.extract.pages import Page
from engine.connectors.stripe.extract.readers import TableReader, make_readers
from engine.connectors.stripe.planning.read_options import AccountEvents, decode_options

VERSION = load_catalogue().api_version
NOW = datetime(2026, 11, 20, tzinfo=UTC)
BEGUN = NOW - timedelta(days=5)
EDGE = int((NOW - timedelta(hours=1)).timestamp())
OLD = EDGE - 1_000_000


def readers_of(*tables: str, expanded: tuple[str, ...] = ()) -> list[TableReader]:
    """The readers of a run that goes on from a mirror with these tables."""
    coverage = tuple(
        Coverage(
            "", name, Window(None, None if table.parents else EDGE), ((),), BEGUN, "list", VERSION, 1, 1, True, expanded
        )
        for name, table in load_catalogue().tables.items()
        if name in tables
    )
    mirror = Mirror("", coverage, EventInterval(BEGUN, NOW, NOW))
    never = dict.fromkeys(tables)
    reads = CONNECTOR.refresh(CONNECTOR.plan_reads([Need(name, ("id",)) for name in tables]), mirror, Pace(NOW, never))
    return make_readers([decode_options(read.options) for read in reads], False)


class Told:
    """What a change reader makes of events: rows by table, and the ids that it asks for, by table."""

    def __init__(
        self, readers: list[TableReader], *pages: list[dict[str, Any]], known: tuple[str, ...] = (), settled: int = 0
    ) -> None:
        events = next(reader for reader in readers if isinstance(reader.options, AccountEvents))
        self.changes = ChangeReader(readers, frozenset(known), settled)
        self.rows: list[tuple[str, str, Any]] = []
        self.pages: list[tuple[str, Page]] = []
        for page in pages:
            body = json.dumps({"object": "list", "data": page, "has_more": False}).encode()
            self._note(self.changes.take(events.pages.read(body)))
        self.at_once = list(self.rows)
        self._note(self.changes.held())
        self.asked = sorted((readers[each.read].table, each.id) for each in self.changes.rest())

    def _note(self, told: Iterable[tuple[TableReader, Page]]) -> None:
        for reader, page in told:
            self.pages.append((reader.table, page))
            self.rows += [(reader.table, row.f_id, getattr(row, "f_email", None)) for row in page.rows]


def event(number: int, kind: str, created: int = EDGE, version: str = VERSION, **fields: Any) -> dict[str, Any]:
    shown = {"object": kind.rpartition(".")[0], "id": "x_1", "created": OLD, **fields}
    return {
        "id": f"evt_{number}", "object": "event", "type": kind, "created": created, "api_version": version,
        "data": {"object": shown}, "livemode": False, "pending_webhooks": 0,
    }  # fmt: skip


def updated(number: int, email: str, created: int = EDGE, **more: Any) -> dict[str, Any]:
    return event(number, "customer.updated", created, id="cus_1", email=email, **more)


@pytest.fixture
def readers() -> list[TableReader]:
    return readers_of("customers")


def test_an_object_of_the_version_is_taken_from_its_event(readers: list[TableReader]) -> None:
    told = Told(readers, [updated(1, "new")])
    assert (told.rows, told.asked) == ([("customers", "cus_1", "new")], [])
    assert told.changes.applied == [("evt_1", EDGE)]


def test_the_latest_event_decides_in_whatever_order_they_come(readers: list[TableReader]) -> None:
    newer, older = updated(2, "new", EDGE + 9), updated(1, "old", EDGE)
    assert Told(readers, [newer, older]).rows == [("customers", "cus_1", "new")]
    assert Told(readers, [newer], [older]).rows == [("customers", "cus_1", "new")]
    assert Told(readers, [older], [newer]).rows[-1] == ("customers", "cus_1", "new")


def test_of_an_object_that_others_hang_on_only_the_latest_form_is_told() -> None:
    older, newer = (event(n, "invoice.updated", EDGE + n, id="in_1", subtotal=n) for n in (1, 2))
    for order in ([older], [newer]), ([newer], [older]), ([older, newer],):
        told = Told(readers_of("invoices", "invoice_line_items"), *order)
        assert told.at_once == []
        assert told.rows == [("invoices", "in_1", None)]
        assert [b'"subtotal":2' in page.body.replace(b" ", b"") for _, page in told.pages] == [True]


def test_where_many_hang_on_others_the_rest_is_retrieved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.connectors.stripe.extract.changes._HELD", 2)
    several = [event(n, "invoice.updated", EDGE + n, id=f"in_{n}") for n in range(5)]
    told = Told(readers_of("invoices", "invoice_line_items"), several)
    assert [row[1] for row in told.rows] == ["in_0", "in_1"]
    assert told.asked == [("invoices", f"in_{n}") for n in (2, 3, 4)]


def test_of_two_events_in_one_second_nobody_knows_which_is_the_later(readers: list[TableReader]) -> None:
    told = Told(readers, [updated(1, "a"), updated(2, "b")])
    assert (told.rows, told.asked) == ([], [("customers", "cus_1")])
    assert Told(readers, [updated(1, "a")], [updated(2, "b")]).asked == [("customers", "cus_1")]


def test_what_is_retrieved_is_not_told_besides(readers: list[TableReader]) -> None:
    """What is retrieved is newer than any event, also than those that come after the one that asks for it."""
    told = Told(readers, [updated(1, "one"), updated(2, "another")], [updated(3, "later", EDGE + 1)])
    assert told.asked == [("customers", "cus_1")]
    assert told.rows == []


def test_an_object_of_another_version_is_retrieved(readers: list[TableReader]) -> None:
    told = Told(readers, [updated(1, "a", version="2020-08-27")])
    assert (told.rows, told.asked) == ([], [("customers", "cus_1")])


def test_what_an_event_calls_deleted_is_asked_for(readers: list[TableReader]) -> None:
    told = Told(readers, [event(1, "customer.deleted", id="cus_1")])
    assert (told.rows, told.asked) == ([], [("customers", "cus_1")])


def test_an_event_that_was_applied_is_not_applied_again(readers: list[TableReader]) -> None:
    told = Told(readers, [updated(1, "a")], known=("evt_1",))
    assert (told.rows, told.asked, told.changes.applied) == ([], [], [])


def test_an_event_that_comes_late_is_asked_for_its_object(readers: list[TableReader]) -> None:
    late = updated(1, "older than what the mirror has")
    for settled in (EDGE, EDGE + 1):
        told = Told(readers, [late], settled=settled)
        assert (told.rows, told.asked) == ([], [("customers", "cus_1")])
    assert Told(readers, [late], settled=EDGE - 1).asked == []


def test_what_the_list_brings_is_left_to_it(readers: list[TableReader]) -> None:
    new = event(1, "customer.created", id="cus_1")
    new["data"]["object"]["created"] = EDGE
    told = Told(readers, [new])
    assert (told.rows, told.asked) == ([], [])
    assert told.changes.applied == [("evt_1", EDGE)]


def test_customers_on_a_test_clock_are_no_rows(readers: list[TableReader]) -> None:
    told = Told(readers, [updated(1, "a", test_clock="clock_1")])
    assert (told.rows, told.asked) == ([], [])


def test_the_object_decides_not_the_name_of_the_event() -> None:
    told = Told(readers_of("charges", "refunds"), [event(1, "charge.refund.updated", object="refund", id="re_1")])
    assert told.rows == [("refunds", "re_1", None)]


def test_an_object_without_an_id_is_no_row() -> None:
    upcoming = event(1, "invoice.upcoming", id=None)
    assert Told(readers_of("invoices"), [upcoming]).rows == []


def test_a_table_with_silent_edits_is_asked_for_the_object() -> None:
    told = Told(readers_of("payment_intents"), [event(1, "payment_intent.succeeded", id="pi_1")])
    assert (told.rows, told.asked) == ([], [("payment_intents", "pi_1")])


def test_fields_that_events_lack_are_retrieved() -> None:
    told = Told(readers_of("customers", expanded=("tax",)), [updated(1, "a")])
    assert (told.rows, told.asked) == ([], [("customers", "cus_1")])


def test_a_child_s_event_renews_its_parent() -> None:
    readers = readers_of("customers", "customer_tax_ids", expanded=("tax_ids",))
    told = Told(readers, [event(1, "customer.tax_id.updated", object="tax_id", id="txi_1", customer="cus_7")])
    assert told.asked == [("customers", "cus_7")]


def test_tax_ids_of_customers_are_no_rows_of_tax_ids() -> None:
    readers = readers_of("tax_ids")
    of_customer = event(1, "customer.tax_id.updated", object="tax_id", id="txi_1", customer="cus_7")
    of_account = event(2, "tax_id.created", object="tax_id", id="txi_2", customer=None)
    assert [row[:2] for row in Told(readers, [of_customer, of_account]).rows] == [("tax_ids", "txi_2")]


def test_unknown_fields_of_an_event_s_object_are_kept(readers: list[TableReader]) -> None:
    events = next(reader for reader in readers if isinstance(reader.options, AccountEvents))
    body = json.dumps({"data": [updated(1, "a", brand_new={"x": 1})]}).encode()
    ((_, page),) = ChangeReader(readers, frozenset()).take(events.pages.read(body))
    assert page.extra
    assert b'"brand_new":{"x":1}' in page.body.replace(b" ", b"")
