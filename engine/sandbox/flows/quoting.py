"""Quotes: draft, finalize, accept, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import refused
from ..objects import Mutation
from ..options import DAY
from ..state import Obj, Row
from . import subscribing
from .offers import cost


def add_quote(mutation: Mutation, customer: Row | None, picks: Sequence[tuple[Row, int]], fields: Obj) -> Row:
    """Create a draft quote for prices and quantities."""
    total = sum(cost(price, quantity) for price, quantity in picks)
    upfront = {"amount_subtotal": total, "amount_total": total, "total_details": _details()}
    row = mutation.add(
        "quote",
        {
            "amount_subtotal": total,
            "amount_total": total,
            "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
            "collection_method": "charge_automatically",
            "computed": {"recurring": _recurring(picks), "upfront": upfront},
            "currency": picks[0][0].obj["currency"] if picks else None,
            "customer": customer.id if customer else None,
            "default_tax_rates": [],
            "discounts": [],
            "expires_at": mutation.now + 30 * DAY,
            "invoice_settings": {"days_until_due": None, "issuer": {"type": "self"}},
            "status": "draft",
            "status_transitions": dict.fromkeys(("accepted_at", "canceled_at", "finalized_at")),
            "subscription_data": {
                "billing_mode": {"type": "classic"},
                **dict.fromkeys(("description", "effective_date", "metadata", "trial_period_days")),
            },
            "total_details": _details(),
            **fields,
        },
    )
    for price, quantity in picks:
        _add_item(mutation, row, price, quantity)
    mutation.emit("quote.created", "quote", row)
    return row


def _add_item(mutation: Mutation, quote: Row, price: Row, quantity: int) -> None:
    amount = cost(price, quantity)
    product = mutation.store.find("product", price.obj["product"])
    mutation.add(
        "item",
        {
            "amount_subtotal": amount,
            "amount_total": amount,
            "currency": price.obj["currency"],
            "description": product.obj["name"] if product else None,
            "price": price.id,
            "quantity": quantity,
        },
        parent=quote.id,
    )


def finalize(mutation: Mutation, quote: Row) -> None:
    """Finalize a draft so that it can be accepted."""
    _need(quote, "draft")
    times = {**quote.obj["status_transitions"], "finalized_at": mutation.now}
    number = f"QT-{len(mutation.store.table('quote').rows):04d}-1"
    fields = {"status": "open", "number": number, "status_transitions": times}
    mutation.change("quote", quote, fields)
    mutation.emit("quote.finalized", "quote", quote)


def accept(mutation: Mutation, quote: Row) -> None:
    """Accept an open quote and start its subscription."""
    _need(quote, "open")
    customer = mutation.get("customer", quote.obj["customer"] or "", param="customer")
    picks: list[tuple[Row, int, Obj]] = [
        (mutation.get("price", row.obj["price"]), row.obj["quantity"], {})
        for row in mutation.store.table("item").children(quote.id)
    ]
    times = {**quote.obj["status_transitions"], "accepted_at": mutation.now}
    fields: dict[str, Any] = {"status": "accepted", "status_transitions": times}
    if picks and picks[0][0].obj["type"] == "recurring":
        subscription = subscribing.subscribe(mutation, customer, picks, {"metadata": quote.obj["metadata"]})
        subscribing.start(mutation, subscription, subscribing.default_method(mutation, customer))
        fields["subscription"] = subscription.id
    mutation.change("quote", quote, fields)
    mutation.emit("quote.accepted", "quote", quote)


def cancel(mutation: Mutation, quote: Row) -> None:
    """Cancel a quote that is not accepted."""
    _need(quote, "draft", "open")
    times = {**quote.obj["status_transitions"], "canceled_at": mutation.now}
    mutation.change("quote", quote, {"status": "canceled", "status_transitions": times})
    mutation.emit("quote.canceled", "quote", quote)


def _need(quote: Row, *statuses: str) -> None:
    if quote.obj["status"] not in statuses:
        raise refused(
            f"This quote is {quote.obj['status']}; it must be {' or '.join(statuses)}.", "status_transition_invalid"
        )


def _details() -> dict[str, Any]:
    return {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0}


def _recurring(picks: Sequence[tuple[Row, int]]) -> Obj | None:
    parts = [(price, quantity) for price, quantity in picks if price.obj["recurring"]]
    if not parts:
        return None
    total = sum(cost(price, quantity) for price, quantity in parts)
    every = parts[0][0].obj["recurring"]
    return {
        "amount_subtotal": total,
        "amount_total": total,
        "interval": every["interval"],
        "interval_count": every["interval_count"],
        "total_details": _details(),
    }
