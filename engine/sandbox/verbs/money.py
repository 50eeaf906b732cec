"""Refunds, disputes, payouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..errors import invalid, refused
from ..flows import returns
from ..objects import Mutation
from ..state import Row
from .generic import Result, WriteCall, WriteHandler, need, plain, target


def create_refund(mutation: Mutation, call: WriteCall) -> Result:
    """Refund a charge, or the charge of a payment intent."""
    params = call.params
    charge = (
        need(mutation, ("charge",), params["charge"], "charge")
        if params.get("charge")
        else _charge_of(mutation, params.get("payment_intent"))
    )
    if charge is None:
        raise invalid("One of the following params should be provided for this request: payment_intent or charge.",
                      "charge", "parameter_missing")  # fmt: skip
    fields = {"reason": params.get("reason"), "metadata": params.get("metadata") or {}}
    return "refund", returns.refund(mutation, charge, params.get("amount"), **fields)


def _charge_of(mutation: Mutation, intent: str | None) -> Row | None:
    if not intent:
        return None
    row = need(mutation, ("payment_intent",), intent, "payment_intent")
    assert row is not None
    if not row.obj["latest_charge"]:
        raise refused(
            f"This PaymentIntent ({row.id}) does not have a successful charge to refund.", "charge_not_refundable"
        )
    return mutation.get("charge", row.obj["latest_charge"])


def update_refund(mutation: Mutation, call: WriteCall) -> Result:
    """Update the metadata of a refund."""
    _, row = target(mutation, call)
    mutation.change("refund", row, plain(mutation, "refund", call.params, row), event="refund.updated")
    mutation.emit("charge.refund.updated", "refund", row)
    return "refund", row


def cancel_refund(mutation: Mutation, call: WriteCall) -> Result:
    """Cancel a refund that requires action."""
    _, row = target(mutation, call)
    if row.obj["status"] != "requires_action":
        raise refused(f"You can only cancel refunds that require action; this one is {row.obj['status']}.")
    mutation.change("refund", row, {"status": "canceled"}, event="refund.updated")
    return "refund", row


def update_dispute(mutation: Mutation, call: WriteCall) -> Result:
    """Add evidence to a dispute; `submit` sends it to the bank."""
    _, row = target(mutation, call)
    fields = plain(mutation, "dispute", call.params, row, skip=("evidence",))
    if call.params.get("evidence"):
        if row.obj["status"] not in ("needs_response", "warning_needs_response"):
            raise refused("This dispute is already closed.")
        fields["evidence"] = {**row.obj["evidence"], **call.params["evidence"]}
        submitted = call.params.get("submit", True)
        details = {**row.obj["evidence_details"], "has_evidence": True}
        if submitted:
            count = details["submission_count"] + 1
            details |= {"submission_count": count, "submission_method": "manual"}
            fields["status"] = "under_review"
        fields["evidence_details"] = details
    mutation.change("dispute", row, fields, event="charge.dispute.updated")
    return "dispute", row


def close_dispute(mutation: Mutation, call: WriteCall) -> Result:
    """Close a dispute as lost."""
    _, row = target(mutation, call)
    if row.obj["status"] not in ("needs_response", "under_review", "warning_needs_response"):
        raise refused("This dispute is already closed.")
    returns.close_dispute(mutation, row, won=False)
    return "dispute", row


def create_payout(mutation: Mutation, call: WriteCall) -> Result:
    """Create a payout to the bank."""
    params = call.params
    available = mutation.world.balance(mutation.store)["available"]
    there = next((each["amount"] for each in available if each["currency"] == params["currency"]), 0)
    if params["amount"] > there:
        raise refused("You have insufficient funds in your Stripe account.", "balance_insufficient", "amount")
    banks = mutation.store.find_all("bank_account", "currency", params["currency"])
    destination = params.get("destination") or (banks[-1].id if banks else None)
    names = ("description", "metadata", "method", "source_type", "statement_descriptor")
    fields = {key: params[key] for key in names if key in params}
    return "payout", returns.pay_out(mutation, params["amount"], params["currency"], destination, [], **fields)


def cancel_payout(mutation: Mutation, call: WriteCall) -> Result:
    """Cancel a pending payout."""
    _, row = target(mutation, call)
    if row.obj["status"] != "pending":
        raise refused(
            f"Payouts can only be canceled while pending; this one is {row.obj['status']}.", "payout_not_cancelable"
        )
    mutation.change("payout", row, {"status": "canceled"}, event="payout.canceled")
    return "payout", row


VERBS: Final[Mapping[tuple[str, str], WriteHandler]] = {
    ("post", "/v1/refunds"): create_refund,
    ("post", "/v1/refunds/{refund}"): update_refund,
    ("post", "/v1/refunds/{refund}/cancel"): cancel_refund,
    ("post", "/v1/disputes/{dispute}"): update_dispute,
    ("post", "/v1/disputes/{dispute}/close"): close_dispute,
    ("post", "/v1/payouts"): create_payout,
    ("post", "/v1/payouts/{payout}/cancel"): cancel_payout,
}
