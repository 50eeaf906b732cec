"""The special cases of the seeded business."""

from __future__ import annotations

from typing import Final

from ..flows import invoicing, quoting, returns
from ..objects.operation import Operation
from ..state.store import Row
from .cases import Case
from .offers import Shelf

DAY: Final = 86_400
CALLS: Final = 100
"""Invoice items that come on top of the subscription's own line."""


def before_renewal(op: Operation, case: Case | None, customer: Row, subscription: Row, end: int) -> None:
    """What happens in the days before a renewal."""
    if case is None or case.name not in ("MANY_LINES", "OLD_MANY_LINES"):
        return
    wanted = (20, 60) if case.name == "MANY_LINES" else (100, 160)
    if not wanted[0] * DAY <= end - op.now <= wanted[1] * DAY or op.store.find_all(
        "invoiceitem", "customer", customer.id
    ):
        return
    moment = op.now
    for number in range(CALLS):
        op.now = moment - (CALLS - number) * 600
        add_item(op, customer, subscription.obj["currency"], 100 + 7 * number, f"Report run {number + 1:03d}")
    op.now = moment


def add_item(op: Operation, customer: Row, currency: str, amount: int, description: str) -> Row:
    """An invoice item that waits for the customer's next invoice."""
    return op.add(
        "invoiceitem",
        {
            "amount": amount,
            "currency": currency,
            "customer": customer.id,
            "date": op.now,
            "description": description,
            "discountable": True,
            "discounts": [],
            "net_amount": amount,
            "period": {"end": op.now, "start": op.now},
            "pricing": None,
            "quantity": 1,
            "quantity_decimal": "1",
            "tax_rates": [],
        },
        event="invoiceitem.created",
    )


def settle_by_invoice(op: Operation, subscription: Row, method: Row, end: int) -> None:
    """Pay a sent invoice nine days after it went out, if that day has come."""
    if subscription.obj["collection_method"] != "send_invoice" or not subscription.obj["latest_invoice"]:
        return
    invoice = op.get("invoice", subscription.obj["latest_invoice"])
    if invoice.obj["status"] == "open" and op.now + 9 * DAY < end:
        moment, op.now = op.now, op.now + 9 * DAY
        invoicing.pay(op, invoice, method)
        op.now = moment


def finish(op: Operation, case: Case | None, customer: Row, subscription: Row, end: int) -> None:
    """What the customer's story ends with."""
    if case is None:
        return
    match case.name:
        case "REFUND" | "PARTIAL_REFUND" | "DISPUTE_LOST" | "DISPUTE_WON" | "DISPUTE_OPEN":
            _take_back(op, case.name, customer, end)
        case "CREDIT_NOTE":
            _credit(op, customer, end)
        case "DRAFT" | "VOID" | "UNCOLLECTIBLE":
            _leave_invoice(op, case.name, customer, subscription, end)
        case "CANCELS_LATER":
            op.now = end - 3 * DAY
            last = max(
                each.obj["current_period_end"] for each in op.store.table("subscription_item").children(subscription.id)
            )
            fields = {"cancel_at_period_end": True, "cancel_at": last, "canceled_at": op.now}
            op.change("subscription", subscription, fields, event="customer.subscription.updated")
        case _:
            pass


def _take_back(op: Operation, story: str, customer: Row, end: int) -> None:
    paid = [row for row in op.store.find_all("charge", "customer", customer.id) if row.obj["paid"]]
    if not paid:
        return
    charge = max(paid, key=lambda row: row.created)
    op.now = min(charge.created + 4 * DAY, end - 600)
    if story.endswith("REFUND"):
        amount = charge.obj["amount"] // 4 if story == "PARTIAL_REFUND" else None
        returns.refund(op, charge, amount, reason="requested_by_customer", metadata={"ticket": "T-1042"})
        return
    row = returns.dispute(op, charge, "product_not_received" if story == "DISPUTE_WON" else "fraudulent")
    if story != "DISPUTE_OPEN" and op.now + DAY < end:
        op.now = min(op.now + 20 * DAY, end - 300)
        returns.close_dispute(op, row, won=story == "DISPUTE_WON")


def _credit(op: Operation, customer: Row, end: int) -> None:
    """Refund a fifth of a paid invoice's first line, by a credit note."""
    paid = [row for row in op.store.find_all("invoice", "customer", customer.id) if row.obj["amount_paid"] > 0]
    charge = invoicing.charge_of(op, paid[-1]) if paid else None
    if charge is None:
        return
    invoice = paid[-1]
    line = op.store.table("line_item").children(invoice.id)[0]
    amount = line.obj["amount"] // 5
    op.now = min(invoice.created + 2 * DAY, end - 600)
    refund = returns.refund(op, charge, amount, metadata={})
    credited = {
        "amount": amount,
        "description": line.obj["description"],
        "invoice_line_item": line.id,
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
    fields = {"memo": "Goodwill", "reason": "product_unsatisfactory", "refund_objects": [refund.obj]}
    returns.add_credit_note(op, invoice, [credited], fields)


def _leave_invoice(op: Operation, story: str, customer: Row, subscription: Row, end: int) -> None:
    """An invoice made by hand that is not paid."""
    op.now = end - 10 * DAY
    currency = subscription.obj["currency"]
    fields = {"collection_method": "send_invoice", "currency": currency, "description": "Extra work"}
    invoice = invoicing.draft(op, customer, {**fields, "due_date": op.now + 30 * DAY})
    item = add_item(op, customer, currency, 12_000, "Data migration")
    op.change("invoiceitem", item, {"invoice": invoice.id})
    invoicing.add_item_line(op, invoice, item)
    invoicing.total_up(op, invoice)
    op.emit("invoice.created", "invoice", invoice)
    if story == "DRAFT":
        return
    op.now += 3600
    invoicing.finalize(op, invoice)
    op.now += 2 * DAY
    if story == "VOID":
        invoicing.void(op, invoice)
    else:
        invoicing.give_up(op, invoice)


def quote(op: Operation, shelf: Shelf, customer: Row, currency: str) -> None:
    """A quote that waits for an answer."""
    row = quoting.add_quote(
        op, customer, [(shelf.price("business", "yearly", currency), 1)], {"header": "Annual offer"}
    )
    quoting.finalize(op, row)
