"""The objects of the benchmark server in Stripe's format: a template, filled in for each row."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

START = 1_700_000_000
SPAN = 18 * 30 * 86_400

CHARGE = {
    "id": "<id>",
    "object": "charge",
    "amount": "<#amount>",
    "amount_captured": "<#amount>",
    "amount_refunded": "<#changes>",
    "application": None,
    "application_fee": None,
    "application_fee_amount": None,
    "balance_transaction": "txn_<long>",
    "billing_details": {
        "address": {
            "city": "Lyon", "country": "FR", "line1": "<street> rue de la Gare", "line2": None,
            "postal_code": "69003", "state": None,
        },
        "email": "person<person>@example.com",
        "name": "Person <person>",
        "phone": None,
        "tax_id": None,
    },
    "calculated_statement_descriptor": "WEIR BENCH",
    "captured": True,
    "created": "<#created>",
    "currency": "<currency>",
    "customer": "<customer>",
    "description": "Subscription update <number>",
    "disputed": False,
    "failure_balance_transaction": None,
    "failure_code": None,
    "failure_message": None,
    "fraud_details": {},
    "livemode": False,
    "metadata": {"order": "<number>", "channel": "web", "rev": "<changes>"},
    "on_behalf_of": None,
    "outcome": {
        "advice_code": None, "network_advice_code": None, "network_decline_code": None,
        "network_status": "approved_by_network", "reason": None, "risk_level": "normal", "risk_score": 12,
        "seller_message": "Payment complete.", "type": "authorized",
    },
    "paid": True,
    "payment_intent": "pi_<long>",
    "payment_method": "pm_<long>",
    "payment_method_details": {
        "card": {
            "amount_authorized": "<#amount>", "authorization_code": "123456", "brand": "visa",
            "checks": {
                "address_line1_check": "pass", "address_postal_code_check": "pass", "cvc_check": "pass",
            },
            "country": "FR", "exp_month": 8, "exp_year": 2028, "fingerprint": "fp<long>",
            "funding": "credit", "installments": None, "last4": "<last4>", "mandate": None,
            "network": "visa", "network_token": {"used": False}, "network_transaction_id": "<long>",
            "three_d_secure": None, "wallet": None,
        },
        "type": "card",
    },
    "receipt_email": None,
    "receipt_number": None,
    "receipt_url": "https://pay.example.com/receipts/<long><long>",
    "refunded": False,
    "review": None,
    "shipping": None,
    "source_transfer": None,
    "statement_descriptor": None,
    "statement_descriptor_suffix": None,
    "status": "succeeded",
    "transfer_data": None,
    "transfer_group": None,
}  # fmt: skip

CUSTOMER = {
    "id": "<id>",
    "object": "customer",
    "address": {
        "city": "Lyon", "country": "FR", "line1": "<street> rue de la Gare", "line2": None,
        "postal_code": "69003", "state": None,
    },
    "balance": "<#changes>",
    "created": "<#created>",
    "currency": "<currency>",
    "default_source": None,
    "delinquent": False,
    "description": None,
    "discount": None,
    "email": "person<number>@example.com",
    "invoice_prefix": "<upper>",
    "invoice_settings": {
        "custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None,
    },
    "livemode": False,
    "metadata": {"tier": "<tier>"},
    "name": "Person <number>",
    "next_invoice_sequence": 7,
    "phone": None,
    "preferred_locales": ["fr"],
    "shipping": None,
    "tax_exempt": "none",
    "test_clock": None,
}  # fmt: skip

EVENT = {
    "id": "<id>",
    "object": "event",
    "api_version": "<version>",
    "created": "<#created>",
    "data": {"object": "<#object>"},
    "livemode": False,
    "pending_webhooks": 0,
    "request": {"id": None, "idempotency_key": None},
    "type": "<type>",
}

_PLACE = re.compile(r'"<#(\w+)>"|<(\w+)>')


class Template:
    """An object as text with placeholders: `<name>` within a string, `"<#name>"` for a whole value."""

    def __init__(self, thing: Mapping[str, object], indent: int = 4) -> None:
        text = json.dumps(thing, indent=2).replace("\n", "\n" + " " * indent).replace("%", "%%")
        self._text = _PLACE.sub(lambda place: f"%({place[1] or place[2]})s", text)

    def fill(self, values: Mapping[str, object]) -> bytes:
        """The object with these values."""
        return (self._text % values).encode()


def charge_values(number: int, created: int, changes: int, customers: int) -> dict[str, object]:
    """The values of a charge of one of `customers`."""
    person = number * 7919 % max(1, customers)
    return {
        "id": f"ch_{number:016x}",
        "amount": 500 + number * 7919 % 249_500,
        "changes": changes,
        "long": f"{number:016x}",
        "street": number % 99,
        "person": person,
        "created": created,
        "currency": ("usd", "eur", "gbp")[number * 31 % 3],
        "customer": f"cus_{person:08x}",
        "number": number,
        "last4": f"{number % 10000:04d}",
    }


def customer_values(number: int, created: int, changes: int, _customers: int) -> dict[str, object]:
    """The values of a customer."""
    return {
        "id": f"cus_{number:08x}",
        "changes": changes,
        "street": number % 99,
        "created": created,
        "currency": ("usd", "eur", "gbp")[number * 31 % 3],
        "number": number,
        "upper": f"{number:08X}",
        "tier": ("free", "pro", "enterprise")[number * 17 % 3],
    }
