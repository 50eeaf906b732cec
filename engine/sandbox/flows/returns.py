"""Money that leaves the balance: refunds, disputes, credit notes, payouts."""

from __future__ import annotations

from typing import Any, Final

from ..errors import refused
from ..objects import Mutation
from ..options import DAY
from ..state import Obj, Row
from .payments import add_movement

DISPUTE_FEE: Final = 1_500

# fmt: off
EVIDENCE: Final = (
    "access_activity_log", "billing_address", "cancellation_policy", "cancellation_policy_disclosure",
    "cancellation_rebuttal", "customer_communication", "customer_email_address", "customer_name",
    "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation", "duplicate_charge_explanation",
    "duplicate_charge_id", "product_description", "receipt", "refund_policy", "refund_policy_disclosure",
    "refund_refusal_explanation", "service_date", "service_documentation", "shipping_address", "shipping_carrier",
    "shipping_date", "shipping_documentation", "shipping_tracking_number", "uncategorized_file", "uncategorized_text"
)
# fmt: on


def refund(mutation: Mutation, charge: Row, amount: int | None = None, **fields: Any) -> Row:
    """Refund the rest of a charge, or this amount of it."""
    left = charge.obj["amount"] - charge.obj["amount_refunded"]
    if not charge.obj["paid"]:
        raise refused(f"Charge {charge.id} was not paid.", "charge_not_refundable")
    if left == 0:
        raise refused(f"Charge {charge.id} has already been refunded.", "charge_already_refunded")
    amount = left if amount is None else amount
    if amount > left:
        raise refused(f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})", None, "amount")
    identifier = mutation.identify("refund")
    movement = None
    if charge.obj["captured"]:
        movement = add_movement(
            mutation, "refund", -amount, charge.obj["currency"], identifier, description="REFUND FOR CHARGE"
        )
    row = mutation.add(
        "refund",
        {
            "id": identifier,
            "amount": amount,
            "balance_transaction": movement.id if movement else None,
            "charge": charge.id,
            "currency": charge.obj["currency"],
            "destination_details": {
                "card": {
                    "reference_status": "pending",
                    "reference_type": "acquirer_reference_number",
                    "type": "refund" if movement else "reversal",
                },
                "type": "card",
            },
            "payment_intent": charge.obj["payment_intent"],
            "status": "succeeded",
            **fields,
        },
    )
    back = charge.obj["amount_refunded"] + amount
    changes = {"amount_refunded": back, "refunded": back == charge.obj["amount"]}
    mutation.change("charge", charge, changes, event="charge.refunded")
    mutation.emit("refund.created", "refund", row)
    return row


def dispute(mutation: Mutation, charge: Row, reason: str) -> Row:
    """Open a dispute of a charge: withdraws the amount and a fee."""
    identifier = mutation.identify("dispute")
    amount, currency = charge.obj["amount"], charge.obj["currency"]
    withdrawn = add_movement(mutation, "adjustment", -amount, currency, identifier, fee=DISPUTE_FEE, category="dispute",
                             description=f"Chargeback withdrawal for {charge.id}")  # fmt: skip
    row = mutation.add(
        "dispute",
        {
            "id": identifier,
            "amount": amount,
            "balance_transactions": [withdrawn.id],
            "charge": charge.id,
            "currency": currency,
            "evidence": {**dict.fromkeys(EVIDENCE), "enhanced_evidence": {}},
            "evidence_details": {
                "due_by": mutation.now + 8 * DAY,
                "enhanced_eligibility": {},
                "has_evidence": False,
                "past_due": False,
                "submission_count": 0,
                "submission_method": "not_submitted",
            },
            "is_charge_refundable": False,
            "payment_intent": charge.obj["payment_intent"],
            "payment_method_details": {
                "card": {
                    "brand": charge.obj["payment_method_details"]["card"]["brand"],
                    "case_type": "chargeback",
                    "network": charge.obj["payment_method_details"]["card"]["network"],
                    "network_reason_code": "83",
                },
                "type": "card",
            },
            "reason": reason,
            "status": "needs_response",
        },
        event="charge.dispute.created",
    )
    mutation.change("charge", charge, {"disputed": True}, event="charge.updated")
    mutation.emit("charge.dispute.funds_withdrawn", "dispute", row)
    return row


def close_dispute(mutation: Mutation, row: Row, *, won: bool) -> None:
    """Decide a dispute; a won one returns the amount."""
    fields: dict[str, Any] = {"status": "won" if won else "lost"}
    if won:
        back = add_movement(mutation, "adjustment", row.obj["amount"], row.obj["currency"], row.id, fee=-DISPUTE_FEE,
                            category="dispute_reversal", description="Chargeback reversal")  # fmt: skip
        fields["balance_transactions"] = [*row.obj["balance_transactions"], back.id]
    mutation.change("dispute", row, fields, event="charge.dispute.closed")
    if won:
        mutation.emit("charge.dispute.funds_reinstated", "dispute", row)


def pay_out(
    mutation: Mutation, amount: int, currency: str, destination: str | None, covered: list[Row], **more: Any
) -> Row:
    """Pay out from the balance to the bank. `covered` are the balance transactions in the payout."""
    identifier = mutation.identify("payout")
    movement = add_movement(mutation, "payout", -amount, currency, identifier, days=0, description="STRIPE PAYOUT")
    row = mutation.add(
        "payout",
        {
            "id": identifier,
            "amount": amount,
            "arrival_date": mutation.now - mutation.now % DAY + 2 * DAY,
            "automatic": bool(covered),
            "balance_transaction": movement.id,
            "currency": currency,
            "description": "STRIPE PAYOUT",
            "destination": destination,
            "method": "standard",
            "reconciliation_status": "completed" if covered else "not_applicable",
            "source_type": "card",
            "status": "in_transit",
            "type": "bank_account",
            **more,
        },
        event="payout.created",
    )
    for each in [*covered, movement]:
        mutation.store.table("balance_transaction").annotate(each, {**(each.extra or {}), "payout": identifier})
    return row


def arrive(mutation: Mutation, row: Row) -> None:
    """Complete a payout."""
    mutation.change("payout", row, {"status": "paid"})
    mutation.emit("payout.paid", "payout", row)


def add_credit_note(mutation: Mutation, invoice: Row, lines: list[dict[str, Any]], fields: Obj) -> Row:
    """Credit a part of a finalized invoice. Each line: amount, quantity, description, invoice_line_item, tax_rates,
    taxes. `fields` must refund, credit or settle out of band what is already paid."""
    invoice_now = invoice.obj
    if invoice_now["status"] not in ("open", "paid", "uncollectible"):
        raise refused(f"You can only create credit notes for finalized invoices; this one is {invoice_now['status']}.")
    subtotal = sum(line["amount"] for line in lines)
    tax = sum(part["amount"] for line in lines for part in line.get("taxes", ()))
    total = subtotal + tax
    credited = invoice_now["pre_payment_credit_notes_amount"] + invoice_now["post_payment_credit_notes_amount"]
    if total > invoice_now["total"] - credited:
        raise refused("The sum of credit notes cannot be greater than the invoice's total.", None, "amount")
    paid = invoice_now["status"] == "paid"
    number = len(mutation.store.find_all("credit_note", "invoice", invoice.id)) + 1
    identifier = mutation.identify("credit_note")
    refunds = [{"amount_refunded": each["amount"], "refund": each["id"]} for each in fields.get("refund_objects", ())]
    row = mutation.add(
        "credit_note",
        {
            "id": identifier,
            "amount": total,
            "currency": invoice_now["currency"],
            "customer": invoice_now["customer"],
            "effective_at": mutation.now,
            "invoice": invoice.id,
            "number": f"{invoice_now['number']}-CN-{number:02d}",
            "pdf": f"https://pay.stripe.com/credit_notes/{identifier}/pdf",
            "post_payment_amount": total if paid else 0,
            "pre_payment_amount": 0 if paid else total,
            "refunds": refunds,
            "status": "issued",
            "subtotal": subtotal,
            "subtotal_excluding_tax": subtotal,
            "total": total,
            "total_excluding_tax": subtotal,
            "total_taxes": [part for line in lines for part in line.get("taxes", ())],
            "type": "post_payment" if paid else "pre_payment",
            **{key: value for key, value in fields.items() if key != "refund_objects"},
        },
    )
    for line in lines:
        _add_credit_line(mutation, row, line)
    mutation.emit("credit_note.created", "credit_note", row)
    _credit_invoice(mutation, invoice, total, paid=paid)
    return row


def _add_credit_line(mutation: Mutation, note: Row, line: dict[str, Any]) -> None:
    plain = {
        "quantity": 1,
        "taxes": [],
        "type": "invoice_line_item" if line.get("invoice_line_item") else "custom_line_item",
    }
    mutation.add("credit_note_line_item", {**plain, **line}, parent=note.id)


def _credit_invoice(mutation: Mutation, invoice: Row, total: int, *, paid: bool) -> None:
    field = "post_payment_credit_notes_amount" if paid else "pre_payment_credit_notes_amount"
    changes: dict[str, Any] = {field: invoice.obj[field] + total}
    if not paid:
        for name in ("amount_due", "amount_remaining"):
            changes[name] = max(0, invoice.obj[name] - total)
    mutation.change("invoice", invoice, changes, event="invoice.updated")
