"""Invoices: drafts, lines, totals, finalization, payment, voiding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import ApiError, refused
from ..objects import Mutation, token
from ..options import DAY
from ..state import Obj, Row
from . import payments
from .offers import cost, taken_off

SETTLED: Final = ("paid", "void", "uncollectible")


def draft(mutation: Mutation, customer: Row, fields: Obj) -> Row:
    """Create an empty draft. `fields` override the defaults of the customer and the account."""
    who = customer.obj
    account = mutation.world.account_of(mutation.store)
    defaults: dict[str, Any] = {
        "account_country": account["country"],
        "account_name": account["settings"]["dashboard"]["display_name"],
        "auto_advance": False,
        "automatic_tax": dict.fromkeys(("disabled_reason", "liability", "provider", "status")) | {"enabled": False},
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "currency": who["currency"] or account["default_currency"],
        "customer": customer.id,
        "customer_address": who["address"],
        "customer_email": who["email"],
        "customer_name": who["name"],
        "customer_phone": who["phone"],
        "customer_shipping": who["shipping"],
        "customer_tax_exempt": who["tax_exempt"],
        "customer_tax_ids": [],
        "issuer": {"type": "self"},
        "payment_settings": dict.fromkeys(("default_mandate", "payment_method_options", "payment_method_types")),
        "period_end": mutation.now,
        "period_start": mutation.now,
        "rendering": None,
        "status": "draft",
        "status_transitions": dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        "test_clock": who["test_clock"],
    }
    row = mutation.add("invoice", {**defaults, **fields})
    if who["currency"] is None:
        mutation.change("customer", customer, {"currency": row.obj["currency"]}, event="customer.updated")
    return row


def add_line(mutation: Mutation, invoice: Row, amount: int, quantity: int, fields: Obj) -> Row:
    """Add a line to a draft. `total_up` applies the discounts and taxes of the invoice to it."""
    plain = {
        "amount": amount,
        "currency": invoice.obj["currency"],
        "discount_amounts": [],
        "discountable": True,
        "invoice": invoice.id,
        "period": {"end": mutation.now, "start": mutation.now},
        "pretax_credit_amounts": [],
        "quantity": quantity,
        "quantity_decimal": str(quantity),
        "subtotal": amount,
        "taxes": [],
    }
    return mutation.add("line_item", {**plain, **fields}, parent=invoice.id)


def add_price_line(mutation: Mutation, invoice: Row, price: Row, quantity: int, fields: Obj) -> Row:
    """Add a line for a quantity of a price."""
    product = mutation.store.find("product", price.obj["product"])
    name = product.obj["name"] if product else price.obj["product"]
    amount = price.obj["unit_amount"]
    pricing = {
        "price_details": {"price": price.id, "product": price.obj["product"]},
        "type": "price_details",
        "unit_amount_decimal": None if amount is None else str(amount),
    }
    text = f"{quantity} × {name}"
    return add_line(
        mutation, invoice, cost(price, quantity), quantity, {"description": text, "pricing": pricing, **fields}
    )


def total_up(mutation: Mutation, invoice: Row, *, event: str | None = None) -> None:
    """Compute a draft's discounts, taxes and totals from its lines."""
    lines = mutation.store.table("line_item").children(invoice.id)
    taken: dict[str, int] = {}
    taxes: dict[str, list[int]] = {}
    for line in lines:
        discounted = _discount_line(mutation, invoice, line, taken)
        _tax_line(mutation, invoice, line, discounted, taxes)
    subtotal = sum(line.obj["amount"] for line in lines)
    untaxed = subtotal - sum(taken.values())
    total = untaxed + sum(amount for amount, _ in taxes.values())
    due = max(0, total)
    mutation.change(
        "invoice",
        invoice,
        {
            "amount_due": due,
            "amount_remaining": due,
            "subtotal": subtotal,
            "subtotal_excluding_tax": subtotal,
            "total": total,
            "total_discount_amounts": [{"amount": off, "discount": discount} for discount, off in taken.items()],
            "total_excluding_tax": untaxed,
            "total_pretax_credit_amounts": [
                {"amount": off, "discount": discount, "type": "discount"} for discount, off in taken.items()
            ],
            "total_taxes": [_tax(rate, amount, base) for rate, (amount, base) in taxes.items()],
        },
        event=event,
    )


def _discount_line(mutation: Mutation, invoice: Row, line: Row, taken: dict[str, int]) -> int:
    rest: int = line.obj["amount"]
    parts = []
    for identifier in invoice.obj["discounts"] if line.obj["discountable"] else ():
        discount = mutation.store.find("discount", identifier)
        off = taken_off(mutation, discount, rest, taken.get(identifier, 0)) if discount else 0
        if off:
            parts.append({"amount": off, "discount": identifier})
            taken[identifier] = taken.get(identifier, 0) + off
            rest -= off
    credited = [{**part, "type": "discount"} for part in parts]
    mutation.change("line_item", line, {"discount_amounts": parts, "pretax_credit_amounts": credited})
    return rest


def _tax_line(mutation: Mutation, invoice: Row, line: Row, base: int, taxes: dict[str, list[int]]) -> None:
    parts = []
    for identifier in invoice.obj["default_tax_rates"]:
        rate = mutation.store.find("tax_rate", identifier)
        if rate is None:
            continue
        amount = round(base * rate.obj["percentage"] / 100)
        parts.append(_tax(identifier, amount, base))
        sums = taxes.setdefault(identifier, [0, 0])
        sums[0] += amount
        sums[1] += base
    mutation.change("line_item", line, {"taxes": parts})


def _tax(rate: str, amount: int, base: int) -> dict[str, Any]:
    return {
        "amount": amount,
        "tax_behavior": "exclusive",
        "tax_rate_details": {"tax_rate": rate},
        "taxability_reason": "standard_rated",
        "taxable_amount": base,
        "type": "tax_rate_details",
    }


def take_pending_items(mutation: Mutation, invoice: Row) -> None:
    """Move the customer's pending invoice items to this invoice."""
    for item in mutation.store.find_all("invoiceitem", "customer", invoice.obj["customer"]):
        if item.obj["invoice"] is None and item.obj["currency"] == invoice.obj["currency"]:
            add_item_line(mutation, invoice, item)
            mutation.change("invoiceitem", item, {"invoice": invoice.id})


def add_item_line(mutation: Mutation, invoice: Row, item: Row) -> Row:
    """Add the line of an invoice item."""
    parent = {
        "invoice_item_details": {
            "invoice_item": item.id,
            "proration": item.obj["proration"],
            "proration_details": None,
            "subscription": None,
        },
        "subscription_item_details": None,
        "type": "invoice_item_details",
    }
    shown = {key: item.obj[key] for key in ("description", "discountable", "period", "pricing", "metadata")}
    return add_line(mutation, invoice, item.obj["amount"], item.obj["quantity"], {**shown, "parent": parent})


def finalize(mutation: Mutation, invoice: Row) -> None:
    """Finalize a draft: assign its number and, if an amount is due, a payment to collect."""
    if invoice.obj["status"] != "draft":
        raise refused(
            "This invoice is already finalized, you can't re-finalize a non-draft invoice.", "invoice_not_editable"
        )
    customer = mutation.get("customer", invoice.obj["customer"])
    sequence = customer.obj["next_invoice_sequence"]
    mutation.change("customer", customer, {"next_invoice_sequence": sequence + 1})
    secret = token(mutation.random, 30)
    account = mutation.store.account
    fields: dict[str, Any] = {
        "effective_at": mutation.now,
        "ending_balance": 0,
        "hosted_invoice_url": f"https://invoice.stripe.com/i/{account}/test_{secret}",
        "invoice_pdf": f"https://pay.stripe.com/invoice/{account}/test_{secret}/pdf",
        "number": f"{customer.obj['invoice_prefix']}-{sequence:04d}",
        "status": "open",
        "status_transitions": {**invoice.obj["status_transitions"], "finalized_at": mutation.now},
    }
    if invoice.obj["collection_method"] == "send_invoice" and invoice.obj["due_date"] is None:
        fields["due_date"] = mutation.now + 30 * DAY
    mutation.change("invoice", invoice, fields, event="invoice.updated")
    mutation.emit("invoice.finalized", "invoice", invoice)
    if invoice.obj["amount_due"] == 0:
        mark_paid(mutation, invoice)
    else:
        _expect_payment(mutation, invoice)


def _expect_payment(mutation: Mutation, invoice: Row) -> None:
    due, currency = invoice.obj["amount_due"], invoice.obj["currency"]
    intent = payments.add_intent(
        mutation,
        {
            "amount": due,
            "currency": currency,
            "customer": invoice.obj["customer"],
            "description": "Subscription update" if subscription_of(invoice) else "Payment for Invoice",
            "setup_future_usage": "off_session",
        },
    )
    mutation.add(
        "invoice_payment",
        {
            "amount_requested": due,
            "currency": currency,
            "invoice": invoice.id,
            "is_default": True,
            "payment": {"payment_intent": intent.id, "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        },
    )
    mutation.change("invoice", invoice, {"confirmation_secret": {"client_secret": intent.obj["client_secret"],
                                                           "type": "payment_intent"}})  # fmt: skip


def pay(mutation: Mutation, invoice: Row, method: Row) -> ApiError | None:
    """Try to collect an open invoice. Returns the error of a declined card; the attempt is recorded."""
    if invoice.obj["status"] in SETTLED and invoice.obj["status"] != "uncollectible":
        raise refused(f"Invoice is already {invoice.obj['status']}", "invoice_already_paid")
    waiting = [
        row for row in mutation.store.find_all("invoice_payment", "invoice", invoice.id) if row.obj["status"] == "open"
    ]
    intent = mutation.get("payment_intent", waiting[0].obj["payment"]["payment_intent"])
    attempts = invoice.obj["attempt_count"] + 1
    error = payments.confirm(mutation, intent, method)
    if error is not None:
        retry = mutation.now + 3 * DAY if invoice.obj["auto_advance"] else None
        fields = {"attempt_count": attempts, "attempted": True, "next_payment_attempt": retry}
        mutation.change("invoice", invoice, fields, event="invoice.updated")
        mutation.emit("invoice.payment_failed", "invoice", invoice)
        return error
    mutation.change("invoice", invoice, {"attempt_count": attempts, "attempted": True, "next_payment_attempt": None})
    times = {"canceled_at": None, "paid_at": mutation.now}
    paid = {"amount_paid": intent.obj["amount"], "status": "paid", "status_transitions": times}
    mutation.change("invoice_payment", waiting[0], paid)
    mutation.emit("invoice_payment.paid", "invoice_payment", waiting[0])
    mark_paid(mutation, invoice)
    return None


def mark_paid(mutation: Mutation, invoice: Row, *, elsewhere: bool = False) -> None:
    """Mark the invoice as paid, by a payment or (`elsewhere`) outside of Stripe."""
    fields: dict[str, Any] = {
        "amount_paid": invoice.obj["amount_due"],
        "amount_paid_off_stripe": invoice.obj["amount_due"] if elsewhere else 0,
        "amount_remaining": 0,
        "attempted": True,
        "auto_advance": False,
        "status": "paid",
        "status_transitions": {**invoice.obj["status_transitions"], "paid_at": mutation.now},
    }
    if elsewhere:
        _cancel_payments(mutation, invoice)
    mutation.change("invoice", invoice, fields, event="invoice.updated")
    mutation.emit("invoice.paid", "invoice", invoice)
    mutation.emit("invoice.payment_succeeded", "invoice", invoice)


def void(mutation: Mutation, invoice: Row) -> None:
    """Void a finalized, unpaid invoice."""
    if invoice.obj["status"] not in ("open", "uncollectible"):
        raise refused(f"You can only void open or uncollectible invoices; this one is {invoice.obj['status']}.",
                      "invoice_not_editable")  # fmt: skip
    _cancel_payments(mutation, invoice)
    _end(mutation, invoice, "void", "voided_at", "invoice.voided")


def give_up(mutation: Mutation, invoice: Row) -> None:
    """Mark an open invoice as uncollectible."""
    if invoice.obj["status"] != "open":
        raise refused(f"You can only mark open invoices as uncollectible; this one is {invoice.obj['status']}.",
                      "invoice_not_editable")  # fmt: skip
    _end(mutation, invoice, "uncollectible", "marked_uncollectible_at", "invoice.marked_uncollectible")


def _end(mutation: Mutation, invoice: Row, status: str, transition: str, event: str) -> None:
    times = {**invoice.obj["status_transitions"], transition: mutation.now}
    fields = {"status": status, "status_transitions": times, "auto_advance": False, "next_payment_attempt": None}
    mutation.change("invoice", invoice, fields, event="invoice.updated")
    mutation.emit(event, "invoice", invoice)


def _cancel_payments(mutation: Mutation, invoice: Row) -> None:
    for row in mutation.store.find_all("invoice_payment", "invoice", invoice.id):
        if row.obj["status"] == "open":
            times = {"canceled_at": mutation.now, "paid_at": None}
            mutation.change("invoice_payment", row, {"status": "canceled", "status_transitions": times})
            intent = mutation.get("payment_intent", row.obj["payment"]["payment_intent"])
            fields = {"status": "canceled", "canceled_at": mutation.now, "cancellation_reason": "void_invoice"}
            mutation.change("payment_intent", intent, fields)
            mutation.emit("payment_intent.canceled", "payment_intent", intent)


def subscription_of(invoice: Row) -> str | None:
    """The id of the subscription that an invoice bills, or None."""
    details: Mapping[str, Any] = (invoice.obj["parent"] or {}).get("subscription_details") or {}
    return details.get("subscription")


def charge_of(mutation: Mutation, invoice: Row) -> Row | None:
    """The charge that paid an invoice, or None."""
    for row in mutation.store.find_all("invoice_payment", "invoice", invoice.id):
        intent = mutation.store.find("payment_intent", row.obj["payment"].get("payment_intent") or "")
        if row.obj["status"] == "paid" and intent is not None and intent.obj["latest_charge"]:
            return mutation.store.find("charge", intent.obj["latest_charge"])
    return None
