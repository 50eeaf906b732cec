"""The scenarios of the seeded business."""

from __future__ import annotations

from typing import Final

from ..flows import invoicing, quoting, returns
from ..objects import Mutation
from ..options import DAY
from ..state import Row
from .offers import PriceList
from .scenarios import Scenario

CALLS: Final = 100
"""Number of invoice items in addition to the subscription's own line."""


def before_renewal(mutation: Mutation, scenario: Scenario | None, customer: Row, subscription: Row, end: int) -> None:
    """Run the part of a scenario before a renewal."""
    if scenario is None or scenario.name not in ("MANY_LINES", "OLD_MANY_LINES"):
        return
    wanted = (20, 60) if scenario.name == "MANY_LINES" else (100, 160)
    if not wanted[0] * DAY <= end - mutation.now <= wanted[1] * DAY or mutation.store.find_all(
        "invoiceitem", "customer", customer.id
    ):
        return
    now = mutation.now
    for number in range(CALLS):
        mutation.now = now - (CALLS - number) * 600
        add_item(mutation, customer, subscription.obj["currency"], 100 + 7 * number, f"Report run {number + 1:03d}")
    mutation.now = now


def add_item(mutation: Mutation, customer: Row, currency: str, amount: int, description: str) -> Row:
    """Add a pending invoice item for the customer's next invoice."""
    return mutation.add(
        "invoiceitem",
        {
            "amount": amount,
            "currency": currency,
            "customer": customer.id,
            "date": mutation.now,
            "description": description,
            "discountable": True,
            "discounts": [],
            "net_amount": amount,
            "period": {"end": mutation.now, "start": mutation.now},
            "pricing": None,
            "quantity": 1,
            "quantity_decimal": "1",
            "tax_rates": [],
        },
        event="invoiceitem.created",
    )


def settle_by_invoice(mutation: Mutation, subscription: Row, method: Row, end: int) -> None:
    """Pay a sent invoice nine days after sending, if that day is not in the future."""
    if subscription.obj["collection_method"] != "send_invoice" or not subscription.obj["latest_invoice"]:
        return
    invoice = mutation.get("invoice", subscription.obj["latest_invoice"])
    if invoice.obj["status"] == "open" and mutation.now + 9 * DAY < end:
        now, mutation.now = mutation.now, mutation.now + 9 * DAY
        invoicing.pay(mutation, invoice, method)
        mutation.now = now


def finish(mutation: Mutation, scenario: Scenario | None, customer: Row, subscription: Row, end: int) -> None:
    """Run the last part of a scenario."""
    if scenario is None:
        return
    match scenario.name:
        case "REFUND" | "PARTIAL_REFUND" | "DISPUTE_LOST" | "DISPUTE_WON" | "DISPUTE_OPEN":
            _take_back(mutation, scenario.name, customer, end)
        case "CREDIT_NOTE":
            _credit(mutation, customer, end)
        case "DRAFT" | "VOID" | "UNCOLLECTIBLE":
            _leave_invoice(mutation, scenario.name, customer, subscription, end)
        case "CANCELS_LATER":
            mutation.now = end - 3 * DAY
            last = max(
                each.obj["current_period_end"]
                for each in mutation.store.table("subscription_item").children(subscription.id)
            )
            fields = {"cancel_at_period_end": True, "cancel_at": last, "canceled_at": mutation.now}
            mutation.change("subscription", subscription, fields, event="customer.subscription.updated")
        case _:
            pass


def _take_back(mutation: Mutation, story: str, customer: Row, end: int) -> None:
    paid = [row for row in mutation.store.find_all("charge", "customer", customer.id) if row.obj["paid"]]
    if not paid:
        return
    charge = max(paid, key=lambda row: row.created)
    mutation.now = min(charge.created + 4 * DAY, end - 600)
    if story.endswith("REFUND"):
        amount = charge.obj["amount"] // 4 if story == "PARTIAL_REFUND" else None
        returns.refund(mutation, charge, amount, reason="requested_by_customer", metadata={"ticket": "T-1042"})
        return
    row = returns.dispute(mutation, charge, "product_not_received" if story == "DISPUTE_WON" else "fraudulent")
    if story != "DISPUTE_OPEN" and mutation.now + DAY < end:
        mutation.now = min(mutation.now + 20 * DAY, end - 300)
        returns.close_dispute(mutation, row, won=story == "DISPUTE_WON")


def _credit(mutation: Mutation, customer: Row, end: int) -> None:
    """Credit a fifth of a paid invoice's first line, with a refund."""
    paid = [row for row in mutation.store.find_all("invoice", "customer", customer.id) if row.obj["amount_paid"] > 0]
    charge = invoicing.charge_of(mutation, paid[-1]) if paid else None
    if charge is None:
        return
    invoice = paid[-1]
    line = mutation.store.table("line_item").children(invoice.id)[0]
    amount = line.obj["amount"] // 5
    mutation.now = min(invoice.created + 2 * DAY, end - 600)
    refund = returns.refund(mutation, charge, amount, metadata={})
    credited = {
        "amount": amount,
        "description": line.obj["description"],
        "invoice_line_item": line.id,
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
    fields = {"memo": "Goodwill", "reason": "product_unsatisfactory", "refund_objects": [refund.obj]}
    returns.add_credit_note(mutation, invoice, [credited], fields)


def _leave_invoice(mutation: Mutation, story: str, customer: Row, subscription: Row, end: int) -> None:
    """Create a one-off invoice that stays unpaid."""
    mutation.now = end - 10 * DAY
    currency = subscription.obj["currency"]
    fields = {"collection_method": "send_invoice", "currency": currency, "description": "Extra work"}
    invoice = invoicing.draft(mutation, customer, {**fields, "due_date": mutation.now + 30 * DAY})
    item = add_item(mutation, customer, currency, 12_000, "Data migration")
    mutation.change("invoiceitem", item, {"invoice": invoice.id})
    invoicing.add_item_line(mutation, invoice, item)
    invoicing.total_up(mutation, invoice)
    mutation.emit("invoice.created", "invoice", invoice)
    if story == "DRAFT":
        return
    mutation.now += 3600
    invoicing.finalize(mutation, invoice)
    mutation.now += 2 * DAY
    if story == "VOID":
        invoicing.void(mutation, invoice)
    else:
        invoicing.give_up(mutation, invoice)


def quote(mutation: Mutation, price_list: PriceList, customer: Row, currency: str) -> None:
    """Create an open quote."""
    row = quoting.add_quote(
        mutation, customer, [(price_list.price("business", "yearly", currency), 1)], {"header": "Annual offer"}
    )
    quoting.finalize(mutation, row)
