"""Processes that only time triggers: renewals, cancellations, available balance, arriving payouts."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Final

from ..objects import Mutation
from ..state import Row
from . import subscribing
from .payments import settle
from .returns import arrive

RUNNING: Final = ("active", "trialing", "past_due")


def pass_time(mutation: Mutation, until: int) -> int | None:
    """Run everything due up to `until`, each at its own timestamp. Returns the timestamp of the next renewal or end.

    Leaves the mutation's `now` at `until`.
    """
    waiting = [
        (_due(mutation, row), row.seq, row)
        for status in RUNNING
        for row in mutation.store.find_all("subscription", "status", status)
        if subscribing.items_of(mutation, row)
    ]
    heapify(waiting)
    while waiting and waiting[0][0] <= until:
        due, seq, row = heappop(waiting)
        mutation.now = due
        _reach(mutation, row, due)
        if row.obj["status"] in RUNNING:
            heappush(waiting, (_due(mutation, row), seq, row))
    settle_due(mutation, until)
    return waiting[0][0] if waiting else None


def settle_due(mutation: Mutation, until: int) -> None:
    """Make due balance available and complete due payouts."""
    mutation.now = until
    settle(mutation)
    for payout in mutation.store.find_all("payout", "status", "in_transit"):
        if payout.obj["arrival_date"] <= until:
            mutation.now = payout.obj["arrival_date"]
            arrive(mutation, payout)
    mutation.now = until


def _due(mutation: Mutation, row: Row) -> int:
    end: int = min(item.obj["current_period_end"] for item in subscribing.items_of(mutation, row))
    cancel: int | None = row.obj["cancel_at"]
    return end if cancel is None else min(end, cancel)


def _reach(mutation: Mutation, row: Row, due: int) -> None:
    """End a subscription, or its current period."""
    if row.obj["cancel_at"] is not None and row.obj["cancel_at"] <= due:
        subscribing.cancel(mutation, row)
        return
    customer = mutation.store.find("customer", row.obj["customer"])
    if row.obj["pause_collection"] is not None or customer is None:
        subscribing.move_on(mutation, row)
        mutation.emit("customer.subscription.updated", "subscription", row)
        return
    subscribing.renew(mutation, row, subscribing.default_method(mutation, customer, row))
