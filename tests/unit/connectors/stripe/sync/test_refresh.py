"""The requests of a read, given the contents of the mirror."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.connector import (
    CHANGES,
    Coverage,
    EventInterval,
    Mirror,
    Need,
    Op,
    OpenRows,
    Pace,
    Predicate,
    Read,
    Window,
)
from engine.connectors.stripe import CONNECTOR
from engine.connectors.stripe.catalogue import load_catalogue
from engine.connectors.stripe.planning.read_options import (
    AccountEvents,
    Gathering,
    Kept,
    Variant,
    decode_options,
    expand_params,
)
from engine.connectors.stripe.sync.sync_rules import LATEST, OVERLAP, emits_events, freshness_of

VERSION = load_catalogue().api_version
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BEGUN = NOW - timedelta(days=9)
CEILING = int((NOW - timedelta(hours=1)).timestamp())
INTERVAL = EventInterval(BEGUN, NOW - timedelta(hours=1), NOW)
PAID = (Predicate("status", Op.EQ, ("paid",)),)


def coverage(table: str, gte: int | None = None, lt: int | None = CEILING, **changes: Any) -> Coverage:
    made = Coverage("", table, Window(gte, lt), ((),), BEGUN, "list", VERSION, 3, 250, True, (), BEGUN)
    return replace(made, **changes)


def whole(table: str, **changes: Any) -> Coverage:
    return coverage(table, **{"lt": None, **changes})


def mirror(*parts: Coverage, **changes: Any) -> Mirror:
    return replace(Mirror("", parts, INTERVAL, (("evt_1", CEILING),), {"customers": 250, "charges": 1_000}), **changes)


def refreshed(needs: list[Need], found: Mirror, **pace: Any) -> dict[str, Read]:
    reads = CONNECTOR.refresh(CONNECTOR.plan_reads(needs), found, replace(Pace(NOW), **pace))
    return {read.table: read for read in reads}


def options(read: Read) -> Any:
    """The options of the read; the test decides which class to expect."""
    return decode_options(read.options)


def variant(read: Read, place: int = 0) -> Variant:
    found: Variant = options(read).variants[place]
    return found


def need(table: str, *where: Predicate, columns: tuple[str, ...] = ("id",)) -> Need:
    return Need(table, columns, (where,))


def test_read_without_a_mirror_is_complete_and_records_events() -> None:
    found = refreshed([need("customers")], Mirror())
    (planned,) = CONNECTOR.plan_reads([need("customers")])
    assert found["customers"] == planned
    assert options(found[CHANGES]) == AccountEvents()
    assert found[CHANGES].requests == ()


def test_table_in_the_mirror_continues_where_it_ended() -> None:
    found = refreshed([need("customers")], mirror(coverage("customers")))
    assert variant(found["customers"]).window.gte == CEILING - OVERLAP
    assert options(found["customers"]).continues == BEGUN
    assert found["customers"].requests[0].params["created[gte]"] == str(CEILING - OVERLAP)
    assert options(found[CHANGES]) == AccountEvents(since=CEILING - OVERLAP, settled=CEILING, applied=("evt_1",))
    assert sum(read.cost or 0 for read in found.values()) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"as_of": BEGUN - timedelta(seconds=1)},  # Read before events were followed.
        {"api_version": "2020-08-27"},
        {"complete": False},
        {"where": (PAID,)},  # Some rows only.
    ],
)
def test_unreliable_coverage_causes_a_complete_read(changes: dict[str, Any]) -> None:
    found = refreshed([need("customers")], mirror(coverage("customers", **changes)))
    (planned,) = CONNECTOR.plan_reads([need("customers")])
    assert found["customers"].requests == planned.requests
    assert options(found["customers"]).variants == options(planned).variants
    assert found["customers"].cost == 3, "250 rows were there"


def test_filter_is_covered_by_itself_and_by_a_complete_read() -> None:
    needs = [need("invoices", *PAID)]
    for part in (coverage("invoices", where=(PAID,)), coverage("invoices")):
        found = refreshed(needs, mirror(part))["invoices"]
        assert variant(found).window.gte == CEILING - OVERLAP
        assert variant(found).params["status"] == "paid"
    other = (Predicate("status", Op.EQ, ("open",)),)
    assert variant(refreshed(needs, mirror(coverage("invoices", where=(other,))))["invoices"]).window.gte is None


def test_covered_past_window_needs_no_request() -> None:
    window = (Predicate("created", Op.GE, (1_000,)), Predicate("created", Op.LT, (2_000,)))
    found = refreshed([need("charges", *window)], mirror(coverage("charges", gte=900)))
    assert (type(options(found["charges"])), found["charges"].requests) == (Kept, ())
    assert options(found["charges"]).follow.newer is None


def windows(read: Read) -> list[tuple[int | None, int | None]]:
    return [(each.window.gte, each.window.lt) for each in options(read).variants]


def test_windows_without_a_hole_are_merged() -> None:
    parts = [coverage("charges", lt=500), coverage("charges", gte=400, lt=900), coverage("charges", gte=900)]
    found = refreshed([need("charges")], mirror(*parts))["charges"]
    assert windows(found) == [(CEILING - OVERLAP, None)]


def test_interrupted_read_continues_with_its_holes() -> None:
    parts = [coverage("charges", gte=2_000, lt=3_000), coverage("charges", gte=9_000)]
    found = refreshed([need("charges")], mirror(*parts))["charges"]
    assert windows(found) == [(None, 2_000), (3_000 - OVERLAP, 9_000), (CEILING - OVERLAP, None)]
    assert options(found).follow.newer == CEILING - OVERLAP
    assert found.cost == 3


def test_changes_that_a_filter_may_hide_come_from_events() -> None:
    found = refreshed([need("invoices", *PAID)], mirror(coverage("invoices", where=(PAID,))))
    assert options(found["invoices"]).follow.newer is None
    states = [((Predicate("active", Op.EQ, (state,)),),) for state in (True, False)]
    both = refreshed([need("prices")], mirror(*(coverage("prices", where=each) for each in states)))
    assert options(both["prices"]).follow.newer == CEILING - OVERLAP, "the two together are all prices"


def test_read_with_a_limit_ignores_a_complete_mirror() -> None:
    few = Need("customers", ("id",), ((),), limit=20, newest_first=True)
    found = refreshed([few], mirror(coverage("customers")))
    assert (found["customers"].limit, found["customers"].cost) == (20, 1)
    assert CHANGES not in found


def test_children_are_read_with_new_or_changed_parents() -> None:
    parts = [coverage("invoices"), whole("invoice_line_items")]
    found = refreshed([need("invoice_line_items")], mirror(*parts))
    assert options(found["invoice_line_items"]).partial is True
    assert variant(found["invoices"]).window.gte == CEILING - OVERLAP
    alone = refreshed([need("invoice_line_items")], mirror(parts[0]))
    assert options(alone["invoice_line_items"]).partial is False
    assert variant(alone["invoices"]).window.gte is None, "the children were never read: all parents are needed"


def test_first_load_of_children_continues_from_their_parents_windows() -> None:
    needs = [need("invoice_line_items")]
    first = refreshed(needs, mirror())
    assert options(first["invoices"]).carries == ("invoice_line_items",)
    part = coverage("invoices", gte=CEILING - 9_000, carried=("invoice_line_items",), as_of=BEGUN + timedelta(hours=1))
    found = refreshed(needs, mirror(part))
    windows = [(each.window.gte, each.window.lt) for each in options(found["invoices"]).variants]
    assert windows == [(None, CEILING - 9_000), (CEILING - OVERLAP, None)]
    assert options(found["invoices"]).carries == ("invoice_line_items",)
    lines = options(found["invoice_line_items"])
    assert (lines.partial, lines.gathering) == (True, Gathering(since=part.as_of, pages=0, rows=0))
    begun = whole("invoice_line_items", complete=False)
    lines = options(refreshed(needs, mirror(part, begun))["invoice_line_items"])
    assert (lines.gathering.pages, lines.gathering.rows) == (begun.pages, begun.rows)
    other = refreshed([need("customers")], mirror(part))
    assert options(other["invoices"]).carries == ("invoice_line_items",), "nobody needs them now; they stay current"
    assert options(other["invoice_line_items"]).partial is True
    assert options(other["invoice_line_items"]).gathering is None


def test_children_carried_longer_ago_than_the_schedule_are_read_again() -> None:
    """Only a complete read finds its edits."""
    name = "customer_cash_balance_transactions"
    for age, partial in ((timedelta(days=6), True), (timedelta(days=8), False)):
        part = coverage("customers", carried=(name,), read_at=NOW - age)
        found = refreshed([need(name)], mirror(part, whole(name, read_at=NOW - timedelta(days=8))))
        assert options(found[name]).partial is partial
        assert (variant(found["customers"]).window.gte is None) is not partial


def test_children_with_uncovered_rows_are_read_completely() -> None:
    """Only a complete read finds deleted lines."""
    rows = {"invoices": 9, "invoice_line_items": 9}
    found = refreshed([need("invoice_line_items")], mirror(coverage("invoices"), rows=rows))
    assert options(found["invoices"]).carries == ()
    assert options(found["invoice_line_items"]).partial is False


def test_table_with_silent_edits_is_read_again_on_its_schedule() -> None:
    young, old = NOW - timedelta(hours=23), NOW - timedelta(hours=25)
    assert variant(refreshed([need("payment_intents")], mirror(coverage("payment_intents", read_at=young)))[
        "payment_intents"]).window.gte == CEILING - OVERLAP  # fmt: skip
    due = mirror(coverage("payment_intents", read_at=old))
    assert variant(refreshed([need("payment_intents")], due)["payment_intents"]).window.gte is None
    slower = refreshed([need("payment_intents")], due, reread={"payment_intents": 2 * 86_400.0})
    assert variant(slower["payment_intents"]).window.gte is not None
    never = refreshed([need("payment_intents")], due, reread={"payment_intents": None})
    assert variant(never["payment_intents"]).window.gte is not None


def test_open_rows_are_read_again() -> None:
    part = coverage("balance_transactions", read_at=NOW - timedelta(days=1), as_of=BEGUN - timedelta(days=99))
    few = mirror(part, open_rows={"balance_transactions": OpenRows(2, 1_000, 2_000, ("txn_1", "txn_2"))})
    read = refreshed([need("balance_transactions")], few)["balance_transactions"]
    assert options(read).ids == ("txn_1", "txn_2")
    assert variant(read).window.gte == CEILING - OVERLAP
    many = mirror(part, open_rows={"balance_transactions": OpenRows(999, 1_000, 2_000, ("txn_1",))})
    read = refreshed([need("balance_transactions")], many)["balance_transactions"]
    assert (options(read).ids, variant(read).window.gte) == ((), 1_000)
    assert read.requests[0].params["created[gte]"] == "1000", "what is shown is what is asked"


@pytest.mark.parametrize("before", [NOW - timedelta(seconds=1), NOW + timedelta(hours=5)])
def test_first_run_of_an_hour_looks_back_for_late_events(before: datetime) -> None:
    applied = (("evt_long_ago", CEILING - 2 * LATEST - 1), ("evt_late", CEILING - 4_000), ("evt_1", CEILING))
    found = mirror(coverage("customers"), events=replace(INTERVAL, read_at=before), applied=applied)
    changes = options(refreshed([need("customers")], found)[CHANGES])
    assert (changes.since, changes.settled, changes.looks_back) == (CEILING - 2 * LATEST, CEILING, True)
    assert changes.applied == ("evt_late", "evt_1")
    last = datetime.fromtimestamp(CEILING - 5_000, UTC)
    known = replace(found, events=replace(INTERVAL, read_at=before, looked_back=last))
    changes = options(refreshed([need("customers")], known)[CHANGES])
    assert changes.since == CEILING - 5_000 - LATEST, "whatever the clock said meanwhile"
    begun = datetime.fromtimestamp(CEILING - 1_000, UTC)
    young = replace(
        found, events=replace(INTERVAL, read_at=before, since=begun), coverage=(coverage("customers", as_of=begun),)
    )
    changes = options(refreshed([need("customers")], young)[CHANGES])
    assert changes.since == CEILING - 1_000 - OVERLAP, "lists have read what earlier events reported"
    again = replace(found, events=replace(INTERVAL, read_at=NOW + timedelta(minutes=59)))
    changes = options(refreshed([need("customers")], again)[CHANGES])
    assert (changes.since, changes.applied) == (CEILING - OVERLAP, ("evt_1",))


def test_read_time_in_the_future_counts_as_due() -> None:
    later = coverage("payment_intents", read_at=NOW + timedelta(days=50))
    read = refreshed([need("payment_intents")], mirror(later))["payment_intents"]
    assert variant(read).window.gte is None
    never = refreshed([need("payment_intents")], mirror(later), reread={"payment_intents": None})["payment_intents"]
    assert variant(never).window.gte == CEILING - OVERLAP


def test_children_that_are_due_are_refreshed_with_their_parents() -> None:
    parts = mirror(coverage("customers"), whole("customer_cash_balance_transactions"))
    found = refreshed([need("customers")], parts)
    assert freshness_of("customer_cash_balance_transactions", {}).seen.endswith("within 7 days"), "it is due"
    assert options(found["customer_cash_balance_transactions"]).partial is True
    never = {"customer_cash_balance_transactions": None}
    read = refreshed([need("customer_cash_balance_transactions")], parts, reread=never)
    assert options(read["customer_cash_balance_transactions"]).partial is True, "it is believed from now on"


def test_changed_parent_is_read_with_all_its_children() -> None:
    cards = (Predicate("type", Op.EQ, ("card",)),)
    parts = mirror(coverage("customers"), whole("customer_payment_methods", read_at=NOW - timedelta(days=1)))
    child = refreshed([need("customer_payment_methods", *cards)], parts)["customer_payment_methods"]
    assert options(child).partial is True
    assert [each.where for each in options(child).variants] == [()], "others are in the mirror, too"


def test_list_without_events_or_creation_time_is_read_completely() -> None:
    found = refreshed([need("exchange_rates")], mirror(whole("exchange_rates")))
    assert variant(found["exchange_rates"]).window.gte is None
    assert CHANGES not in found, "nothing here needs events"


def test_gap_in_the_events_is_declared_and_read_again() -> None:
    old = EventInterval(BEGUN, NOW - timedelta(days=31), NOW - timedelta(days=31))
    found = refreshed([need("customers")], mirror(coverage("customers"), events=old))
    assert variant(found["customers"]).window.gte is None
    changes = options(found[CHANGES])
    assert (changes.since, changes.lost) == (None, old.until)


def test_connection_without_events_is_read_completely() -> None:
    found = refreshed([need("customers")], mirror(coverage("customers")), events=False)
    assert list(found) == ["customers"]
    assert variant(found["customers"]).window.gte is None


def test_one_event_cursor_keeps_all_tables_current() -> None:
    parts = [coverage("customers"), coverage("subscriptions"), whole("subscription_items"), coverage("exchange_rates")]
    found = refreshed([need("customers")], mirror(*parts))
    assert set(found) == {"customers", "subscriptions", "subscription_items", CHANGES}
    bystander = options(found["subscriptions"])
    assert (type(bystander), found["subscriptions"].requests) == (Kept, ())
    assert bystander.follow.newer == CEILING - OVERLAP, "its own list will bring what is newer"
    active = ((Predicate("status", Op.EQ, ("active",)),),)
    filtered = refreshed([need("customers")], mirror(coverage("customers"), coverage("subscriptions", where=active)))
    assert options(filtered["subscriptions"]).follow.newer is None
    assert options(found["subscription_items"]).partial is True


def test_expanded_fields_of_the_mirror_are_expanded_again() -> None:
    part = coverage("customers", expanded=("tax",))
    read = refreshed([need("customers")], mirror(part))["customers"]
    assert expand_params(options(read)) == {"expand[0]": "data.tax"}
    assert options(read).follow.payload is False, "an event's object has no such fields"
    assert options(read).follow.params == {"expand[0]": "tax"}
    more = refreshed([need("customers", columns=("id", "sources"))], mirror(part))["customers"]
    assert options(more).expanded == ("sources", "tax")
    assert variant(more).window.gte is None, "sources were never read"


def test_read_with_a_limit_follows_no_events() -> None:
    few = Need("customers", ("id",), ((),), limit=20, newest_first=True)
    found = refreshed([few], Mirror())
    assert list(found) == ["customers"]
    assert found["customers"].limit == 20


def test_every_table_describes_its_freshness() -> None:
    for name, table in load_catalogue().tables.items():
        assert str(freshness_of(name, {})).startswith(f"{table.sync.value}: ")
    assert freshness_of("payment_intents", {}).seen.endswith("edits without one within 24 h")
    asked = freshness_of("payment_intents", {"payment_intents": 1800.0})
    assert (asked.reread_seconds, asked.followed) == (1800.0, True)
    assert asked.seen.endswith("edits without one within 30 min")
    assert "never" in freshness_of("payment_intents", {"payment_intents": None}).seen


def test_tables_with_events_can_be_retrieved_and_have_no_parents() -> None:
    followed = [table for table in load_catalogue().tables.values() if emits_events(table)]
    assert len(followed) > 45
    assert all(table.retrieve is not None and not table.parents for table in followed)


def test_children_of_a_refreshed_table_are_refreshed() -> None:
    parts = [coverage("invoices"), whole("invoice_line_items")]
    found = refreshed([need("invoices")], mirror(*parts))
    assert options(found["invoice_line_items"]).partial is True, "nobody needs them now; their next reader does"
    due = refreshed([need("invoices")], mirror(*parts), reread={"invoices": 3600.0})
    assert windows(due["invoices"]) == [(None, None)]
    assert options(due["invoice_line_items"]).partial is True


def test_table_read_in_another_way_still_follows_events() -> None:
    paid, open_ones = coverage("invoices", where=(PAID,)), (Predicate("status", Op.EQ, ("open",)),)
    found = refreshed([need("invoices", *open_ones)], mirror(paid))
    assert windows(found["invoices"]) == [(None, None)]
    assert options(found["invoices"]).follow.newer is None
    needs = [need("customers"), Need("charges", ("id",), ((),), limit=5, newest_first=True)]
    limited = refreshed(needs, mirror(coverage("customers"), coverage("charges")))
    assert limited["charges"].limit == 5
    assert options(limited["charges"]).follow is not None
