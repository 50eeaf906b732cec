"""Invoices, invoice items, credit notes, quotes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import invalid, refused
from ..flows import invoicing, offers, quoting, returns, subscribing
from ..flows.payments import test_card
from ..objects import Mutation
from ..options import DAY
from ..state import Obj, Row
from .generic import Result, WriteCall, WriteHandler, need, plain, target


def create_invoice(mutation: Mutation, call: WriteCall) -> Result:
    """Create a draft. `pending_invoice_items_behavior=include` adds the pending items."""
    params = call.params
    if "customer" not in params:
        raise invalid("Missing required param: customer.", "customer", "parameter_missing")
    customer = need(mutation, ("customer",), params["customer"], "customer")
    assert customer is not None
    skip = ("customer", "discounts", "issuer", "automatic_tax", "payment_settings", "rendering", "days_until_due")
    fields = plain(mutation, "invoice", params, skip=skip)
    if params.get("collection_method") == "send_invoice" and not ("days_until_due" in params or "due_date" in params):
        message = "If invoice collection method is 'send_invoice', you must specify 'due_date' or 'days_until_due'."
        raise invalid(message, "days_until_due")
    if params.get("days_until_due") is not None:
        fields["due_date"] = mutation.now + params["days_until_due"] * DAY
    if params.get("discounts"):
        fields["discounts"] = [_discount(mutation, customer, each) for each in params["discounts"]]
    row = invoicing.draft(mutation, customer, fields)
    if params.get("pending_invoice_items_behavior") == "include":
        invoicing.take_pending_items(mutation, row)
    invoicing.total_up(mutation, row)
    mutation.emit("invoice.created", "invoice", row)
    return "invoice", row


def _discount(mutation: Mutation, customer: Row, given: Obj) -> str:
    coupon = need(mutation, ("coupon",), given.get("coupon") or "", "discounts")
    assert coupon is not None
    return offers.add_discount(mutation, coupon, customer=customer.id).id


def update_invoice(mutation: Mutation, call: WriteCall) -> Result:
    """Update an invoice; a finalized one keeps its lines."""
    _, row = target(mutation, call)
    skip = ("discounts", "issuer", "automatic_tax", "payment_settings", "rendering")
    mutation.change("invoice", row, plain(mutation, "invoice", call.params, row, skip=skip))
    if row.obj["status"] == "draft":
        invoicing.total_up(mutation, row)
    mutation.emit("invoice.updated", "invoice", row)
    return "invoice", row


def delete_invoice(mutation: Mutation, call: WriteCall) -> Result:
    """Delete a draft; its invoice items are pending again."""
    _, row = target(mutation, call)
    _need_draft(row, "delete")
    for line in mutation.store.table("line_item").children(row.id):
        mutation.remove("line_item", line)
    for item in mutation.store.find_all("invoiceitem", "invoice", row.id):
        mutation.change("invoiceitem", item, {"invoice": None})
    return mutation.remove("invoice", row, event="invoice.deleted")


def _need_draft(invoice: Row, verb: str) -> None:
    if invoice.obj["status"] != "draft":
        raise refused(
            f"You can only {verb} draft invoices; this one is {invoice.obj['status']}.", "invoice_not_editable"
        )


def finalize(mutation: Mutation, call: WriteCall) -> Result:
    """Finalize a draft."""
    _, row = target(mutation, call)
    invoicing.finalize(mutation, row)
    return "invoice", row


def pay(mutation: Mutation, call: WriteCall) -> Result:
    """Collect an invoice; finalizes a draft first."""
    _, row = target(mutation, call)
    if row.obj["status"] == "draft":
        invoicing.finalize(mutation, row)
    if call.params.get("paid_out_of_band"):
        invoicing.mark_paid(mutation, row, elsewhere=True)
        return "invoice", row
    if row.obj["status"] == "paid" and row.obj["amount_due"] == 0:
        return "invoice", row
    customer = mutation.get("customer", row.obj["customer"])
    given = call.params.get("payment_method")
    if given:
        method = test_card(mutation, given, customer.obj) or need(
            mutation, ("payment_method",), given, "payment_method"
        )
    else:
        subscription = mutation.store.find("subscription", invoicing.subscription_of(row) or "")
        method = subscribing.default_method(mutation, customer, subscription)
    if method is None:
        raise refused("Cannot charge a customer that has no active card", "missing")
    error = invoicing.pay(mutation, row, method)
    if error is not None:
        raise error
    _revive(mutation, row)
    return "invoice", row


def _revive(mutation: Mutation, invoice: Row) -> None:
    """Reactivate a subscription whose latest invoice is now paid."""
    subscription = mutation.store.find("subscription", invoicing.subscription_of(invoice) or "")
    if subscription is None or subscription.obj["latest_invoice"] != invoice.id:
        return
    if subscription.obj["status"] in ("past_due", "incomplete", "unpaid"):
        mutation.change("subscription", subscription, {"status": "active"}, event="customer.subscription.updated")


def void(mutation: Mutation, call: WriteCall) -> Result:
    """Void a finalized invoice."""
    _, row = target(mutation, call)
    invoicing.void(mutation, row)
    return "invoice", row


def mark_uncollectible(mutation: Mutation, call: WriteCall) -> Result:
    """Mark an invoice as uncollectible."""
    _, row = target(mutation, call)
    invoicing.give_up(mutation, row)
    return "invoice", row


def send(mutation: Mutation, call: WriteCall) -> Result:
    """Send an invoice to its customer; finalizes a draft first."""
    _, row = target(mutation, call)
    if row.obj["collection_method"] != "send_invoice":
        raise refused("You can only manually send an invoice if its collection method is 'send_invoice'.")
    if row.obj["status"] == "draft":
        invoicing.finalize(mutation, row)
    mutation.emit("invoice.sent", "invoice", row)
    return "invoice", row


def create_item(mutation: Mutation, call: WriteCall) -> Result:
    """Create an invoice item on a draft or for the customer's next invoice."""
    params = call.params
    customer = need(mutation, ("customer",), params.get("customer") or "", "customer")
    assert customer is not None
    fields = plain(mutation, "invoiceitem", params, skip=("discounts", "pricing", "tax_rates"))
    quantity = params.get("quantity") or 1
    _price_item(mutation, fields, params, quantity)
    invoice = mutation.get("invoice", params["invoice"], param="invoice") if params.get("invoice") else None
    if invoice is not None:
        _need_draft(invoice, "add items to")
    fields.setdefault("currency", customer.obj["currency"] or "usd")
    row = mutation.add(
        "invoiceitem",
        {
            "date": mutation.now,
            "discountable": True,
            "discounts": [],
            "net_amount": fields["amount"],
            "period": {"end": mutation.now, "start": mutation.now},
            "quantity_decimal": str(quantity),
            "tax_rates": [],
            **fields,
            "quantity": quantity,
        },
        event="invoiceitem.created",
    )
    if invoice is not None:
        invoicing.add_item_line(mutation, invoice, row)
        invoicing.total_up(mutation, invoice, event="invoice.updated")
    return "invoiceitem", row


def _price_item(mutation: Mutation, fields: dict[str, Any], params: Obj, quantity: int) -> None:
    identifier = (params.get("pricing") or {}).get("price")
    if identifier:
        price = need(mutation, ("price",), identifier, "pricing[price]")
        assert price is not None
        details = {"price": price.id, "product": price.obj["product"]}
        unit = price.obj["unit_amount_decimal"]
        fields["pricing"] = {"price_details": details, "type": "price_details", "unit_amount_decimal": unit}
        fields |= {"amount": offers.cost(price, quantity), "currency": price.obj["currency"]}
    elif "unit_amount_decimal" in params:
        fields["amount"] = round(float(params["unit_amount_decimal"]) * quantity)
    elif "amount" not in params:
        raise invalid("You must pass one of amount, pricing and unit_amount_decimal.", "amount", "parameter_missing")


def update_item(mutation: Mutation, call: WriteCall) -> Result:
    """Update an invoice item while its invoice is a draft."""
    _, row = target(mutation, call)
    invoice = mutation.store.find("invoice", row.obj["invoice"] or "")
    if invoice is not None:
        _need_draft(invoice, "change items of")
    fields = plain(mutation, "invoiceitem", call.params, row, skip=("discounts", "pricing", "tax_rates"))
    mutation.change("invoiceitem", row, {**fields, "net_amount": fields.get("amount", row.obj["amount"])})
    if invoice is not None:
        line = _line_of(mutation, invoice, row)
        shown: dict[str, Any] = {key: fields[key] for key in ("amount", "description", "metadata") if key in fields}
        if line is not None:
            mutation.change("line_item", line, {**shown, "subtotal": fields.get("amount", line.obj["subtotal"])})
        invoicing.total_up(mutation, invoice, event="invoice.updated")
    return "invoiceitem", row


def delete_item(mutation: Mutation, call: WriteCall) -> Result:
    """Delete an invoice item and its line on a draft."""
    _, row = target(mutation, call)
    invoice = mutation.store.find("invoice", row.obj["invoice"] or "")
    if invoice is not None:
        _need_draft(invoice, "delete items of")
        line = _line_of(mutation, invoice, row)
        if line is not None:
            mutation.remove("line_item", line)
        invoicing.total_up(mutation, invoice, event="invoice.updated")
    return mutation.remove("invoiceitem", row, event="invoiceitem.deleted")


def _line_of(mutation: Mutation, invoice: Row, item: Row) -> Row | None:
    for line in mutation.store.table("line_item").children(invoice.id):
        details = (line.obj["parent"] or {}).get("invoice_item_details") or {}
        if details.get("invoice_item") == item.id:
            return line
    return None


def create_credit_note(mutation: Mutation, call: WriteCall) -> Result:
    """Credit lines or an amount of an invoice."""
    params = call.params
    invoice = need(mutation, ("invoice",), params["invoice"], "invoice")
    assert invoice is not None
    lines = [_credit_line(mutation, each) for each in params.get("lines") or ()]
    if not lines:
        amount = params.get("amount", invoice.obj["total"])
        lines = [{"amount": amount, "description": "Credit", "unit_amount": amount, "unit_amount_decimal": str(amount)}]
    fields = plain(mutation, "credit_note", params, skip=("invoice", "lines", "amount", "refunds", "shipping_cost"))
    charge = invoicing.charge_of(mutation, invoice)
    if params.get("refund_amount") and charge is not None:
        fields["refund_objects"] = [returns.refund(mutation, charge, params["refund_amount"], metadata={}).obj]
    return "credit_note", returns.add_credit_note(mutation, invoice, lines, fields)


def _credit_line(mutation: Mutation, given: Obj) -> dict[str, Any]:
    identifier = given.get("invoice_line_item")
    line = mutation.get("line_item", identifier, param="lines") if identifier else None
    quantity = given.get("quantity") or 1
    amount = given.get("amount")
    if amount is None:
        unit = given.get("unit_amount")
        amount = unit * quantity if unit is not None else line.obj["amount"] if line else 0
    description = given.get("description") or (line.obj["description"] if line else None)
    return {
        "amount": amount,
        "description": description,
        "invoice_line_item": identifier,
        "quantity": quantity,
        "unit_amount": amount // quantity,
        "unit_amount_decimal": str(amount // quantity),
    }


def void_credit_note(mutation: Mutation, call: WriteCall) -> Result:
    """Void the credit note of an open invoice."""
    _, row = target(mutation, call)
    if row.obj["status"] == "void" or row.obj["type"] != "pre_payment":
        raise refused("You can only void issued credit notes of open invoices.")
    invoice = mutation.get("invoice", row.obj["invoice"])
    total = row.obj["total"]
    fields = {name: invoice.obj[name] + total for name in ("amount_due", "amount_remaining")}
    left = invoice.obj["pre_payment_credit_notes_amount"] - total
    mutation.change("invoice", invoice, {**fields, "pre_payment_credit_notes_amount": left}, event="invoice.updated")
    mutation.change("credit_note", row, {"status": "void", "voided_at": mutation.now}, event="credit_note.voided")
    return "credit_note", row


def create_quote(mutation: Mutation, call: WriteCall) -> Result:
    """Create a draft quote."""
    params = call.params
    customer = need(mutation, ("customer",), params["customer"], "customer") if params.get("customer") else None
    picks = [(mutation.get("price", each.get("price", ""), param="line_items"), each.get("quantity", 1))
             for each in params.get("line_items") or ()]  # fmt: skip
    names = ("description", "expires_at", "footer", "header", "metadata")
    fields = plain(mutation, "quote", {key: value for key, value in params.items() if key in names})
    return "quote", quoting.add_quote(mutation, customer, picks, fields)


def act_on_quote(mutation: Mutation, call: WriteCall) -> Result:
    """Finalize, accept or cancel a quote."""
    _, row = target(mutation, call)
    {"finalize": quoting.finalize, "accept": quoting.accept, "cancel": quoting.cancel}[call.write.path.split("/")[-1]](
        mutation, row
    )
    return "quote", row


VERBS: Final[Mapping[tuple[str, str], WriteHandler]] = {
    ("post", "/v1/invoices"): create_invoice,
    ("post", "/v1/invoices/{invoice}"): update_invoice,
    ("delete", "/v1/invoices/{invoice}"): delete_invoice,
    ("post", "/v1/invoices/{invoice}/finalize"): finalize,
    ("post", "/v1/invoices/{invoice}/pay"): pay,
    ("post", "/v1/invoices/{invoice}/void"): void,
    ("post", "/v1/invoices/{invoice}/mark_uncollectible"): mark_uncollectible,
    ("post", "/v1/invoices/{invoice}/send"): send,
    ("post", "/v1/invoiceitems"): create_item,
    ("post", "/v1/invoiceitems/{invoiceitem}"): update_item,
    ("delete", "/v1/invoiceitems/{invoiceitem}"): delete_item,
    ("post", "/v1/credit_notes"): create_credit_note,
    ("post", "/v1/credit_notes/{id}/void"): void_credit_note,
    ("post", "/v1/quotes"): create_quote,
    ("post", "/v1/quotes/{quote}/finalize"): act_on_quote,
    ("post", "/v1/quotes/{quote}/accept"): act_on_quote,
    ("post", "/v1/quotes/{quote}/cancel"): act_on_quote,
}
