"""Payment methods, payment intents, charges and their balance transactions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import ApiError, card_declined, refused
from ..objects import Mutation, token
from ..options import DAY
from ..state import Obj, Row

DECLINES: Final[Mapping[str, str]] = {
    "generic_decline": "Your card was declined.",
    "insufficient_funds": "Your card has insufficient funds.",
    "lost_card": "Your card was declined.",
    "expired_card": "Your card has expired.",
}

CARDS: Final[Mapping[str, tuple[str, str, str | None]]] = {
    "visa": ("visa", "4242", None),
    "mastercard": ("mastercard", "4444", None),
    "amex": ("amex", "8431", None),
    "chargeDeclined": ("visa", "0002", "generic_decline"),
    "visa_chargeDeclined": ("visa", "0002", "generic_decline"),
    "chargeDeclinedInsufficientFunds": ("visa", "9995", "insufficient_funds"),
    "visa_chargeDeclinedInsufficientFunds": ("visa", "9995", "insufficient_funds"),
    "chargeCustomerFail": ("visa", "0341", "generic_decline"),
}
"""Stripe's test cards by the name in `pm_card_…` and `tok_…`: brand, last digits, decline code."""

PASSED: Final[Mapping[str, Any]] = {
    "address_line1_check": None,
    "address_postal_code_check": "pass",
    "cvc_check": "pass",
}


def add_card(mutation: Mutation, brand: str, last4: str, details: Obj, **facts: Any) -> Row:
    """Create a card as a payment method. `facts`: customer, exp_month, exp_year, country, declines, metadata, event."""
    card = {
        "brand": brand,
        "checks": PASSED,
        "country": facts.get("country") or "US",
        "display_brand": brand,
        "exp_month": facts.get("exp_month") or 12,
        "exp_year": facts.get("exp_year") or 2030,
        "fingerprint": token(mutation.random, 16),
        "funding": "credit",
        "generated_from": None,
        "last4": last4,
        "networks": {"available": [brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    declines = facts.get("declines")
    return mutation.add(
        "payment_method",
        {
            "allow_redisplay": "unspecified",
            "billing_details": details,
            "card": card,
            "customer": facts.get("customer"),
            "metadata": facts.get("metadata") or {},
            "type": "card",
        },
        extra={"declines": declines} if declines else None,
        event=facts.get("event"),
    )


def details_of(customer: Obj | None) -> dict[str, Any]:
    """Billing details from the customer's own."""
    address = (customer or {}).get("address")
    return {
        "address": address or dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state")),
        "email": (customer or {}).get("email"),
        "name": (customer or {}).get("name"),
        "phone": (customer or {}).get("phone"),
        "tax_id": None,
    }


def test_card(mutation: Mutation, name: str, customer: Obj | None) -> Row | None:
    """Create a payment method for the test card `pm_card_<name>` or `tok_<name>`; None for any other name."""
    short = name.removeprefix("pm_card_") if name.startswith("pm_card_") else name.removeprefix("tok_")
    if short == name or short not in CARDS:
        return None
    brand, last4, declines = CARDS[short]
    owner = customer["id"] if customer else None
    return add_card(mutation, brand, last4, details_of(customer), declines=declines, customer=owner)


def add_intent(mutation: Mutation, fields: Obj) -> Row:
    """Create a payment intent that requires a payment method."""
    identifier = mutation.identify("payment_intent")
    defaults = {
        "id": identifier,
        "amount_details": {"tip": {}},
        "capture_method": "automatic",
        "client_secret": f"{identifier}_secret_{token(mutation.random, 24)}",
        "confirmation_method": "automatic",
        "payment_method_types": ["card"],
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "status": "requires_payment_method",
    }
    return mutation.add("payment_intent", {**defaults, **fields}, event="payment_intent.created")


def confirm(mutation: Mutation, intent: Row, method: Row) -> ApiError | None:
    """Charge the payment method. Returns the error of a declined card; the failed charge is kept."""
    declines = (method.extra or {}).get("declines")
    manual = intent.obj["capture_method"] == "manual"
    charge = add_charge(
        mutation,
        {
            "amount": intent.obj["amount"],
            "currency": intent.obj["currency"],
            "customer": intent.obj["customer"],
            "description": intent.obj["description"],
            "metadata": intent.obj["metadata"],
            "payment_intent": intent.id,
            "receipt_email": intent.obj["receipt_email"],
            "transfer_group": intent.obj["transfer_group"],
        },
        method,
        declines=declines,
        capture=not manual,
    )
    changes: dict[str, Any] = {"latest_charge": charge.id}
    if declines:
        shown = mutation.world.renderer.show(mutation.store, "payment_method", method)
        error = card_declined(declines, DECLINES[declines], charge.id, {"payment_method": shown})
        failure = {**error.body()["error"], "decline_code": declines}
        mutation.change("payment_intent", intent, {**changes, "last_payment_error": failure, "payment_method": None})
        mutation.emit("payment_intent.payment_failed", "payment_intent", intent)
        return error
    changes |= {"payment_method": method.id, "last_payment_error": None}
    if manual:
        changes |= {"status": "requires_capture", "amount_capturable": intent.obj["amount"]}
        mutation.change("payment_intent", intent, changes, event="payment_intent.amount_capturable_updated")
    else:
        changes |= {"status": "succeeded", "amount_received": intent.obj["amount"]}
        mutation.change("payment_intent", intent, changes)
        mutation.emit("payment_intent.succeeded", "payment_intent", intent)
    return None


def add_charge(
    mutation: Mutation, fields: Obj, method: Row, *, declines: str | None = None, capture: bool = True
) -> Row:
    """Charge a card, with a balance transaction if the charge succeeds and is captured."""
    done = not declines
    amount = fields["amount"]
    identifier = mutation.identify("charge")
    shown = {
        "id": identifier,
        "billing_details": method.obj["billing_details"],
        "calculated_statement_descriptor": "WEIR SANDBOX",
        "captured": done and capture,
        "amount_captured": amount if done and capture else 0,
        "failure_code": "card_declined" if declines else None,
        "failure_message": DECLINES[declines] if declines else None,
        "fraud_details": {},
        "outcome": _outcome(mutation, declines),
        "paid": done,
        "payment_method": method.id,
        "payment_method_details": {"card": _charged_card(mutation, method.obj["card"], amount), "type": "card"},
        "radar_options": {},
        "receipt_url": f"https://pay.stripe.com/receipts/payment/{identifier}" if done else None,
        "status": "succeeded" if done else "failed",
        **fields,
    }
    if done and capture:
        shown["balance_transaction"] = add_earning(mutation, shown).id
    row = mutation.add("charge", shown)
    mutation.emit("charge.succeeded" if done else "charge.failed", "charge", row)
    return row


def capture_charge(mutation: Mutation, charge: Row, amount: int | None = None) -> None:
    """Capture an authorized charge in full or in part; the rest is released."""
    if charge.obj["captured"] or charge.obj["refunded"]:
        raise refused(f"Charge {charge.id} has already been captured.", "charge_already_captured")
    taken = charge.obj["amount"] if amount is None else amount
    if taken > charge.obj["amount"]:
        raise refused("You cannot capture more than what was authorized.", "amount_too_large", "amount_to_capture")
    earning = add_earning(mutation, {**charge.obj, "amount": taken})
    released = charge.obj["amount"] - taken
    fields = {"captured": True, "amount_captured": taken, "balance_transaction": earning.id}
    mutation.change("charge", charge, {**fields, "amount_refunded": released}, event="charge.captured")


def add_earning(mutation: Mutation, charge: Obj) -> Row:
    """Add the balance transaction of a captured charge, with Stripe's fee."""
    amount, currency = charge["amount"], charge["currency"]
    fee = round(amount * (0.036 if currency == "jpy" else 0.029)) + (0 if currency == "jpy" else 30)
    return add_movement(
        mutation, "charge", amount, currency, charge["id"], fee=fee, description=charge.get("description")
    )


def add_movement(mutation: Mutation, kind: str, amount: int, currency: str, source: str, **more: Any) -> Row:
    """Add a balance transaction. `more`: fee, description, category, days until it is available."""
    fee = more.get("fee", 0)
    available = mutation.now - mutation.now % DAY + more.get("days", 2) * DAY if more.get("days", 2) else mutation.now
    details = {"amount": fee, "application": None, "currency": currency, "description": "Stripe processing fees"}
    return mutation.add(
        "balance_transaction",
        {
            "amount": amount,
            "available_on": available,
            "balance_type": "payments",
            "currency": currency,
            "description": more.get("description"),
            "fee": fee,
            "fee_details": [{**details, "type": "stripe_fee"}] if fee else [],
            "net": amount - fee,
            "reporting_category": more.get("category", kind),
            "source": source,
            "status": "pending" if available > mutation.now else "available",
            "type": kind,
        },
    )


def settle(mutation: Mutation) -> None:
    """Make due balance transactions available. Stripe emits no event for it."""
    for row in mutation.store.find_all("balance_transaction", "status", "pending"):
        if row.obj["available_on"] <= mutation.now:
            mutation.change("balance_transaction", row, {"status": "available"})


def _outcome(mutation: Mutation, declines: str | None) -> dict[str, Any]:
    return {
        "advice_code": "try_again_later" if declines else None,
        "network_advice_code": None,
        "network_decline_code": "51" if declines else None,
        "network_status": "declined_by_network" if declines else "approved_by_network",
        "reason": declines,
        "risk_level": "normal",
        "risk_score": mutation.random.randrange(1, 64),
        "seller_message": "The bank did not accept the payment." if declines else "Payment complete.",
        "type": "issuer_declined" if declines else "authorized",
    }


def _charged_card(mutation: Mutation, card: Obj, amount: int) -> dict[str, Any]:
    return {
        "amount_authorized": amount,
        "authorization_code": token(mutation.random, 6).upper(),
        "brand": card["brand"],
        "checks": card["checks"],
        "country": card["country"],
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card["last4"],
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": str(mutation.random.randrange(10**14, 10**15)),
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": None,
        "wallet": None,
    }
