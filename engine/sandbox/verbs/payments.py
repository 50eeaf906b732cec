"""Payment intents, setup intents and charges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import card_declined, invalid, refused
from ..flows import payments
from ..objects import Mutation, token
from ..state import Obj, Row
from .generic import Result, WriteCall, WriteHandler, need, plain, target

LEAST: Final = 50
"""The smallest amount that can be charged, in minor units."""

SKIP: Final = ("amount_details", "automatic_payment_methods", "payment_method", "payment_method_options",
               "transfer_data", "next_action", "hooks", "payment_details", "processing")  # fmt: skip


def create_intent(mutation: Mutation, call: WriteCall) -> Result:
    """Create a payment intent; `confirm` charges it immediately."""
    params = call.params
    _check_amount(params["amount"])
    fields = plain(mutation, "payment_intent", params, skip=SKIP)
    row = payments.add_intent(mutation, fields)
    method = _method(mutation, row, params)
    if method is not None:
        mutation.change("payment_intent", row, {"payment_method": method.id, "status": "requires_confirmation"})
    if params.get("confirm"):
        _confirm(mutation, row, method)
    return "payment_intent", row


def _check_amount(amount: int) -> None:
    if amount < LEAST:
        raise invalid(f"Amount must be at least {LEAST}.", "amount", "amount_too_small")
    if amount > 99_999_999:
        raise invalid("Amount must be no more than 99999999.", "amount", "amount_too_large")


def _method(mutation: Mutation, intent: Row, params: Obj) -> Row | None:
    given = params.get("payment_method")
    if not given:
        return None
    customer = mutation.store.find("customer", intent.obj["customer"] or "")
    card = payments.test_card(mutation, given, customer.obj if customer else None)
    return card or need(mutation, ("payment_method",), given, "payment_method")


def _confirm(mutation: Mutation, intent: Row, method: Row | None) -> None:
    if intent.obj["status"] not in ("requires_payment_method", "requires_confirmation"):
        raise refused(f"This PaymentIntent could not be confirmed because it has a status of {intent.obj['status']}.",
                      "payment_intent_unexpected_state")  # fmt: skip
    if method is None:
        raise refused("You cannot confirm this PaymentIntent because it's missing a payment method.",
                      "payment_intent_unexpected_state", "payment_method")  # fmt: skip
    error = payments.confirm(mutation, intent, method)
    if error is not None:
        mutation.change("payment_intent", intent, {"status": "requires_payment_method"})
        raise error


def update_intent(mutation: Mutation, call: WriteCall) -> Result:
    """Update an unpaid payment intent. Stripe emits no event for it."""
    _, row = target(mutation, call)
    if row.obj["status"] in ("succeeded", "canceled") and set(call.params) - {
        "metadata",
        "description",
        "receipt_email",
    }:
        raise refused(f"This PaymentIntent could not be updated because it has a status of {row.obj['status']}.",
                      "payment_intent_unexpected_state")  # fmt: skip
    fields = plain(mutation, "payment_intent", call.params, row, skip=SKIP)
    if "amount" in fields:
        _check_amount(fields["amount"])
    method = _method(mutation, row, call.params)
    if method is not None:
        fields |= {"payment_method": method.id, "status": "requires_confirmation"}
    mutation.change("payment_intent", row, fields)
    return "payment_intent", row


def confirm_intent(mutation: Mutation, call: WriteCall) -> Result:
    """Charge the payment intent's payment method."""
    _, row = target(mutation, call)
    method = _method(mutation, row, call.params) or mutation.store.find(
        "payment_method", row.obj["payment_method"] or ""
    )
    _confirm(mutation, row, method)
    return "payment_intent", row


def capture_intent(mutation: Mutation, call: WriteCall) -> Result:
    """Capture the authorized amount."""
    _, row = target(mutation, call)
    if row.obj["status"] != "requires_capture":
        raise refused(f"This PaymentIntent could not be captured because it has a status of {row.obj['status']}.",
                      "payment_intent_unexpected_state")  # fmt: skip
    amount = call.params.get("amount_to_capture", row.obj["amount_capturable"])
    payments.capture_charge(mutation, mutation.get("charge", row.obj["latest_charge"]), amount)
    mutation.change("payment_intent", row, {"status": "succeeded", "amount_capturable": 0, "amount_received": amount})
    mutation.emit("payment_intent.succeeded", "payment_intent", row)
    return "payment_intent", row


def cancel_intent(mutation: Mutation, call: WriteCall) -> Result:
    """Cancel a payment intent and release its authorization."""
    _, row = target(mutation, call)
    if row.obj["status"] in ("succeeded", "canceled"):
        raise refused(f"You cannot cancel this PaymentIntent because it has a status of {row.obj['status']}.",
                      "payment_intent_unexpected_state")  # fmt: skip
    charge = mutation.store.find("charge", row.obj["latest_charge"] or "")
    if charge is not None and charge.obj["paid"] and not charge.obj["captured"]:
        fields = {"amount_refunded": charge.obj["amount"], "refunded": True}
        mutation.change("charge", charge, fields, event="charge.refunded")
    reason = call.params.get("cancellation_reason")
    fields = {"status": "canceled", "canceled_at": mutation.now, "cancellation_reason": reason, "amount_capturable": 0}
    mutation.change("payment_intent", row, fields)
    mutation.emit("payment_intent.canceled", "payment_intent", row)
    return "payment_intent", row


def create_charge(mutation: Mutation, call: WriteCall) -> Result:
    """Charge a test token or the customer's card."""
    params = call.params
    _check_amount(params.get("amount", 0))
    customer = need(mutation, ("customer",), params["customer"], "customer") if params.get("customer") else None
    method = payments.test_card(mutation, params.get("source") or "", None)
    if method is None and customer is not None:
        owned = mutation.store.find_all("payment_method", "customer", customer.id)
        method = owned[-1] if owned else None
    if method is None:
        raise refused("Cannot charge a customer that has no active card", "missing", "source")
    declines = (method.extra or {}).get("declines")
    names = ("amount", "currency", "customer", "description", "metadata", "receipt_email", "statement_descriptor",
             "statement_descriptor_suffix", "transfer_group")  # fmt: skip
    fields: dict[str, Any] = {key: params[key] for key in names if key in params}
    row = payments.add_charge(mutation, fields, method, declines=declines, capture=params.get("capture", True))
    if declines:
        raise card_declined(declines, payments.DECLINES[declines], row.id, {})
    return "charge", row


def update_charge(mutation: Mutation, call: WriteCall) -> Result:
    """Update the description, metadata and the like of a charge."""
    _, row = target(mutation, call)
    mutation.change("charge", row, plain(mutation, "charge", call.params, row), event="charge.updated")
    return "charge", row


def capture_charge(mutation: Mutation, call: WriteCall) -> Result:
    """Capture an authorized charge."""
    _, row = target(mutation, call)
    payments.capture_charge(mutation, row, call.params.get("amount"))
    return "charge", row


def create_setup_intent(mutation: Mutation, call: WriteCall) -> Result:
    """Create a setup intent; with `confirm` and a payment method it succeeds immediately."""
    identifier = mutation.identify("setup_intent")
    fields = plain(
        mutation,
        "setup_intent",
        call.params,
        skip=("payment_method", "automatic_payment_methods", "payment_method_options"),
    )
    plain_fields = {
        "id": identifier,
        "client_secret": f"{identifier}_secret_{token(mutation.random, 24)}",
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        "usage": "off_session",
    }
    row = mutation.add("setup_intent", {**plain_fields, **fields}, event="setup_intent.created")
    given = call.params.get("payment_method")
    method = payments.test_card(mutation, given or "", None) or (
        need(mutation, ("payment_method",), given, "payment_method") if given else None
    )
    if method is not None:
        done = bool(call.params.get("confirm"))
        fields = {"payment_method": method.id, "status": "succeeded" if done else "requires_confirmation"}
        mutation.change("setup_intent", row, fields, event="setup_intent.succeeded" if done else None)
    return "setup_intent", row


VERBS: Final[Mapping[tuple[str, str], WriteHandler]] = {
    ("post", "/v1/payment_intents"): create_intent,
    ("post", "/v1/payment_intents/{intent}"): update_intent,
    ("post", "/v1/payment_intents/{intent}/confirm"): confirm_intent,
    ("post", "/v1/payment_intents/{intent}/capture"): capture_intent,
    ("post", "/v1/payment_intents/{intent}/cancel"): cancel_intent,
    ("post", "/v1/charges"): create_charge,
    ("post", "/v1/charges/{charge}"): update_charge,
    ("post", "/v1/charges/{charge}/capture"): capture_charge,
    ("post", "/v1/setup_intents"): create_setup_intent,
}
