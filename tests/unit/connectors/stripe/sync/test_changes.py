"""Events are applied to the tables of their objects."""

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
    """The readers of a run that continues from a mirror with these tables."""
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


class Applied:
    """The result of a change reader: rows by table, and the IDs to retrieve by table."""

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

    def _note(self, found: Iterable[tuple[TableReader, Page]]) -> None:
        for reader, page in found:
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


def test_object_of_the_same_api_version_is_taken_from_its_event(readers: list[TableReader]) -> None:
    found = Applied(readers, [updated(1, "new")])
    assert (found.rows, found.asked) == ([("customers", "cus_1", "new")], [])
    assert found.changes.applied == [("evt_1", EDGE)]


def test_latest_event_wins_in_any_order(readers: list[TableReader]) -> None:
    newer, older = updated(2, "new", EDGE + 9), updated(1, "old", EDGE)
    assert Applied(readers, [newer, older]).rows == [("customers", "cus_1", "new")]
    assert Applied(readers, [newer], [older]).rows == [("customers", "cus_1", "new")]
    assert Applied(readers, [older], [newer]).rows[-1] == ("customers", "cus_1", "new")


def test_parent_object_is_reported_once_in_its_latest_form() -> None:
    older, newer = (event(n, "invoice.updated", EDGE + n, id="in_1", subtotal=n) for n in (1, 2))
    for order in ([older], [newer]), ([newer], [older]), ([older, newer],):
        found = Applied(readers_of("invoices", "invoice_line_items"), *order)
        assert found.at_once == []
        assert found.rows == [("invoices", "in_1", None)]
        assert [b'"subtotal":2' in page.body.replace(b" ", b"") for _, page in found.pages] == [True]


def test_parents_beyond_the_buffer_are_retrieved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.connectors.stripe.extract.changes._HELD", 2)
    several = [event(n, "invoice.updated", EDGE + n, id=f"in_{n}") for n in range(5)]
    found = Applied(readers_of("invoices", "invoice_line_items"), several)
    assert [row[1] for row in found.rows] == ["in_0", "in_1"]
    assert found.asked == [("invoices", f"in_{n}") for n in (2, 3, 4)]


def test_object_with_two_events_in_one_second_is_retrieved(readers: list[TableReader]) -> None:
    found = Applied(readers, [updated(1, "a"), updated(2, "b")])
    assert (found.rows, found.asked) == ([], [("customers", "cus_1")])
    assert Applied(readers, [updated(1, "a")], [updated(2, "b")]).asked == [("customers", "cus_1")]


def test_retrieved_object_is_not_taken_from_events_too(readers: list[TableReader]) -> None:
    """A retrieved object is newer than all events, including those after the one that requires it."""
    found = Applied(readers, [updated(1, "one"), updated(2, "another")], [updated(3, "later", EDGE + 1)])
    assert found.asked == [("customers", "cus_1")]
    assert found.rows == []


def test_object_of_another_api_version_is_retrieved(readers: list[TableReader]) -> None:
    found = Applied(readers, [updated(1, "a", version="2020-08-27")])
    assert (found.rows, found.asked) == ([], [("customers", "cus_1")])


def test_object_of_a_deleted_event_is_retrieved(readers: list[TableReader]) -> None:
    found = Applied(readers, [event(1, "customer.deleted", id="cus_1")])
    assert (found.rows, found.asked) == ([], [("customers", "cus_1")])


def test_applied_event_is_not_applied_again(readers: list[TableReader]) -> None:
    found = Applied(readers, [updated(1, "a")], known=("evt_1",))
    assert (found.rows, found.asked, found.changes.applied) == ([], [], [])


def test_object_of_a_late_event_is_retrieved(readers: list[TableReader]) -> None:
    late = updated(1, "older than what the mirror has")
    for settled in (EDGE, EDGE + 1):
        found = Applied(readers, [late], settled=settled)
        assert (found.rows, found.asked) == ([], [("customers", "cus_1")])
    assert Applied(readers, [late], settled=EDGE - 1).asked == []


def test_object_that_the_list_reads_is_not_taken_from_its_event(readers: list[TableReader]) -> None:
    new = event(1, "customer.created", id="cus_1")
    new["data"]["object"]["created"] = EDGE
    found = Applied(readers, [new])
    assert (found.rows, found.asked) == ([], [])
    assert found.changes.applied == [("evt_1", EDGE)]


def test_customer_on_a_test_clock_is_no_row(readers: list[TableReader]) -> None:
    found = Applied(readers, [updated(1, "a", test_clock="clock_1")])
    assert (found.rows, found.asked) == ([], [])


def test_event_is_applied_by_its_object_and_not_by_its_name() -> None:
    found = Applied(readers_of("charges", "refunds"), [event(1, "charge.refund.updated", object="refund", id="re_1")])
    assert found.rows == [("refunds", "re_1", None)]


def test_object_without_an_id_is_no_row() -> None:
    upcoming = event(1, "invoice.upcoming", id=None)
    assert Applied(readers_of("invoices"), [upcoming]).rows == []


def test_object_of_a_table_with_silent_edits_is_retrieved() -> None:
    found = Applied(readers_of("payment_intents"), [event(1, "payment_intent.succeeded", id="pi_1")])
    assert (found.rows, found.asked) == ([], [("payment_intents", "pi_1")])


def test_object_with_expanded_fields_is_retrieved() -> None:
    found = Applied(readers_of("customers", expanded=("tax",)), [updated(1, "a")])
    assert (found.rows, found.asked) == ([], [("customers", "cus_1")])


def test_event_of_a_child_retrieves_its_parent() -> None:
    readers = readers_of("customers", "customer_tax_ids", expanded=("tax_ids",))
    found = Applied(readers, [event(1, "customer.tax_id.updated", object="tax_id", id="txi_1", customer="cus_7")])
    assert found.asked == [("customers", "cus_7")]


def test_tax_id_of_a_customer_is_no_row_of_tax_ids() -> None:
    readers = readers_of("tax_ids")
    of_customer = event(1, "customer.tax_id.updated", object="tax_id", id="txi_1", customer="cus_7")
    of_account = event(2, "tax_id.created", object="tax_id", id="txi_2", customer=None)
    assert [row[:2] for row in Applied(readers, [of_customer, of_account]).rows] == [("tax_ids", "txi_2")]


def test_unknown_fields_of_an_event_object_are_kept(readers: list[TableReader]) -> None:
    events = next(reader for reader in readers if isinstance(reader.options, AccountEvents))
    body = json.dumps({"data": [updated(1, "a", brand_new={"x": 1})]}).encode()
    ((_, page),) = ChangeReader(readers, frozenset()).take(events.pages.read(body))
    assert page.extra
    assert b'"brand_new":{"x":1}' in page.body.replace(b" ", b"")
