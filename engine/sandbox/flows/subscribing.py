"""Subscriptions: start, renewal, change and end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ..errors import refused
from ..objects import Mutation
from ..options import DAY
from ..state import Obj, Row
from . import invoicing, offers

OVER: Final = ("canceled", "incomplete_expired")
DAYS_IN: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def after(timestamp: int, interval: str, count: int = 1) -> int:
    """The end of the period that starts at this timestamp. A day past the month's end becomes its last day."""
    if interval in ("day", "week"):
        return timestamp + count * (DAY if interval == "day" else 7 * DAY)
    at = datetime.fromtimestamp(timestamp, UTC)
    months = at.month - 1 + count * (12 if interval == "year" else 1)
    year, month = at.year + months // 12, months % 12
    leap = month == 1 and (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    return int(at.replace(year=year, month=month + 1, day=min(at.day, 29 if leap else DAYS_IN[month])).timestamp())


def subscribe(
    mutation: Mutation, customer: Row, picks: Sequence[tuple[Row, int, Obj]], fields: Obj, **facts: Any
) -> Row:
    """Create a subscription with its items. `facts`: trial_end, coupon (row). `start` bills it."""
    trial_end = facts.get("trial_end")
    if not picks:
        raise refused("You must pass at least one item.", "parameter_missing", "items")
    currencies = {price.obj["currency"] for price, _, _ in picks}
    if len(currencies) > 1:
        raise refused("All prices on a subscription must use the same currency.", None, "items")
    identifier = mutation.identify("subscription")
    coupon = facts.get("coupon")
    discounts = (
        [offers.add_discount(mutation, coupon, customer=customer.id, subscription=identifier).id] if coupon else []
    )
    trial_settings = {"end_behavior": {"billing_cycle_anchor": None, "missing_payment_method": "create_invoice"}}
    row = mutation.add(
        "subscription",
        {
            "id": identifier,
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": trial_end or mutation.now,
            "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
            "cancellation_details": dict.fromkeys(("comment", "feedback", "reason")),
            "collection_method": "charge_automatically",
            "currency": currencies.pop(),
            "customer": customer.id,
            "default_tax_rates": [],
            "discounts": discounts,
            "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
            "payment_settings": {
                **dict.fromkeys(("payment_method_options", "payment_method_types")),
                "save_default_payment_method": "off",
            },
            "start_date": mutation.now,
            "status": "trialing" if trial_end else "incomplete",
            "test_clock": customer.obj["test_clock"],
            "trial_end": trial_end,
            "trial_settings": trial_settings,
            "trial_start": mutation.now if trial_end else None,
            **fields,
        },
    )
    for price, quantity, more in picks:
        add_item(mutation, row, price, quantity, more, until=trial_end)
    return row


def add_item(
    mutation: Mutation, subscription: Row, price: Row, quantity: int, fields: Obj, until: int | None = None
) -> Row:
    """Add an item to a subscription."""
    if price.obj["type"] != "recurring":
        raise refused("The price specified is set to `type=one_time` but this field only accepts prices with "
                      "`type=recurring`.", None, "items")  # fmt: skip
    recurring = price.obj["recurring"]
    end = until or after(mutation.now, recurring["interval"], recurring["interval_count"])
    plain = {
        "current_period_end": end,
        "current_period_start": mutation.now,
        "plan": price.id,
        "price": price.id,
        "quantity": quantity,
        "subscription": subscription.id,
        "tax_rates": [],
    }
    return mutation.add("subscription_item", {**plain, **fields}, parent=subscription.id)


def items_of(mutation: Mutation, subscription: Row) -> list[Row]:
    """The items in order of creation."""
    return mutation.store.table("subscription_item").children(subscription.id)


def bill(
    mutation: Mutation, subscription: Row, reason: str, method: Row | None, items: Sequence[Row] | None = None
) -> Row:
    """Invoice the current period of a subscription, or of these items, and try to collect it."""
    customer = mutation.get("customer", subscription.obj["customer"])
    automatic = subscription.obj["collection_method"] == "charge_automatically"
    items = items_of(mutation, subscription) if items is None else items
    details = {"metadata": subscription.obj["metadata"], "subscription": subscription.id}
    invoice = invoicing.draft(
        mutation,
        customer,
        {
            "auto_advance": True,
            "billing_reason": reason,
            "collection_method": subscription.obj["collection_method"],
            "currency": subscription.obj["currency"],
            "default_tax_rates": subscription.obj["default_tax_rates"],
            "discounts": subscription.obj["discounts"],
            "parent": {"quote_details": None, "subscription_details": details, "type": "subscription_details"},
            "period_start": min(each.obj["current_period_start"] for each in items),
        },
    )
    trial = subscription.obj["status"] == "trialing"
    for item in items:
        _add_period_line(mutation, invoice, subscription, item, free=trial)
    invoicing.take_pending_items(mutation, invoice)
    invoicing.total_up(mutation, invoice)
    mutation.emit("invoice.created", "invoice", invoice)
    mutation.change("subscription", subscription, {"latest_invoice": invoice.id})
    invoicing.finalize(mutation, invoice)
    if automatic and invoice.obj["status"] == "open" and method is not None:
        invoicing.pay(mutation, invoice, method)
    return invoice


def _add_period_line(mutation: Mutation, invoice: Row, subscription: Row, item: Row, *, free: bool) -> None:
    parent = {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": False,
            "proration_details": None,
            "subscription": subscription.id,
            "subscription_item": item.id,
        },
        "type": "subscription_item_details",
    }
    period = {"end": item.obj["current_period_end"], "start": item.obj["current_period_start"]}
    fields: dict[str, Any] = {"parent": parent, "period": period, "subscription": subscription.id}
    if free:
        fields |= {"amount": 0, "subtotal": 0}
    price = mutation.get("price", item.obj["price"])
    invoicing.add_price_line(mutation, invoice, price, item.obj["quantity"] or 0, fields)


def start(mutation: Mutation, subscription: Row, method: Row | None) -> None:
    """Bill a new subscription for the first time and emit its creation."""
    invoice = bill(mutation, subscription, "subscription_create", method)
    if subscription.obj["status"] == "incomplete" and _good(invoice):
        mutation.change("subscription", subscription, {"status": "active"})
    mutation.emit("customer.subscription.created", "subscription", subscription)


def move_on(mutation: Mutation, subscription: Row) -> list[Row]:
    """Begin the next period of every item whose period has ended. Returns these items."""
    moved = []
    for item in items_of(mutation, subscription):
        begin = item.obj["current_period_end"]
        if begin <= mutation.now:
            price = mutation.get("price", item.obj["price"]).obj["recurring"]
            end = after(begin, price["interval"], price["interval_count"])
            mutation.change("subscription_item", item, {"current_period_end": end, "current_period_start": begin})
            moved.append(item)
    return moved


def renew(mutation: Mutation, subscription: Row, method: Row | None) -> Row:
    """Begin the next period and bill it. A failed payment makes the subscription past due."""
    trial_over = subscription.obj["status"] == "trialing"
    moved = move_on(mutation, subscription)
    if trial_over:
        mutation.change("subscription", subscription, {"status": "active"})
    invoice = bill(mutation, subscription, "subscription_cycle", method, moved)
    status = "active" if _good(invoice) else "past_due"
    mutation.change("subscription", subscription, {"status": status})
    mutation.emit("customer.subscription.updated", "subscription", subscription)
    customer = mutation.get("customer", subscription.obj["customer"])
    mutation.change("customer", customer, {"delinquent": status == "past_due"}, event="customer.updated")
    return invoice


def _good(invoice: Row) -> bool:
    return bool(invoice.obj["status"] == "paid" or invoice.obj["collection_method"] == "send_invoice")


def cancel(mutation: Mutation, subscription: Row, details: Obj | None = None) -> None:
    """End a subscription now."""
    if subscription.obj["status"] in OVER:
        raise refused(f"No such subscription: '{subscription.id}'", "resource_missing", "id")
    said = {**subscription.obj["cancellation_details"], "reason": "cancellation_requested", **(details or {})}
    fields = {"status": "canceled", "canceled_at": mutation.now, "ended_at": mutation.now, "cancellation_details": said}
    mutation.change("subscription", subscription, fields)
    mutation.emit("customer.subscription.deleted", "subscription", subscription)


def default_method(mutation: Mutation, customer: Row, subscription: Row | None = None) -> Row | None:
    """The payment method that an invoice is charged to: the subscription's, the customer's, or the newest one."""
    chosen = subscription.obj["default_payment_method"] if subscription else None
    chosen = chosen or (customer.obj["invoice_settings"] or {}).get("default_payment_method")
    if chosen:
        return mutation.store.find("payment_method", chosen)
    owned = mutation.store.find_all("payment_method", "customer", customer.id)
    return owned[-1] if owned else None
