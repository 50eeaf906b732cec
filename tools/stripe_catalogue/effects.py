"""Hand-written rules on permissions, synchronisation and side effects, by path and verb."""

from __future__ import annotations

import re
from typing import Final

from engine.connectors.stripe.catalogue.model import SideEffect, WriteKind

PERMISSIONS: Final[dict[str, str]] = {
    "account": "connected_account",
    "credit_note_line_item": "credit_note",
    "customer_balance_transaction": "customer",
    "invoiceitem": "invoice",
    "invoice_payment": "invoice",
    "item": "checkout_session",
    "line_item": "invoice",
    "price": "plan",
    "subscription_item": "subscription",
    "subscription_schedule": "subscription",
    "webhook_endpoint": "webhook",
}
"""Permissions with another name than the resource."""

FULLY_EVENTED: Final = frozenset(
    {
        "/v1/application_fees",
        "/v1/billing/meters",
        "/v1/billing_portal/configurations",
        "/v1/charges",
        "/v1/climate/products",
        "/v1/coupons",
        "/v1/credit_notes",
        "/v1/customers",
        "/v1/disputes",
        "/v1/files",
        "/v1/financial_connections/accounts",
        "/v1/invoices",
        "/v1/issuing/authorizations",
        "/v1/issuing/cardholders",
        "/v1/issuing/cards",
        "/v1/issuing/disputes",
        "/v1/issuing/personalization_designs",
        "/v1/issuing/transactions",
        "/v1/payment_links",
        "/v1/payouts",
        "/v1/plans",
        "/v1/prices",
        "/v1/products",
        "/v1/promotion_codes",
        "/v1/radar/early_fraud_warnings",
        "/v1/refunds",
        "/v1/reporting/report_runs",
        "/v1/reporting/report_types",
        "/v1/reviews",
        "/v1/sigma/scheduled_query_runs",
        "/v1/subscription_schedules",
        "/v1/subscriptions",
        "/v1/tax_ids",
        "/v1/tax_rates",
        "/v1/test_helpers/test_clocks",
        "/v1/transfers",
    }
)
"""Lists of which every mutation emits an event. Any other list is assumed to have silent mutations."""

_MONEY: Final = re.compile(
    r"^/v1/(charges|payment_intents|refunds|payouts|topups|transfers|climate/orders|credit_notes|subscriptions"
    r"|subscription_items|subscription_schedules|issuing/authorizations|application_fees/\{\w+\}/refunds|setup_intents/\{\w+\}/confirm"
    r"|treasury/(outbound_payments|outbound_transfers|inbound_transfers|credit_reversals|debit_reversals))(/|$)"
    r"|^/v2/money_management/(outbound_payments|inbound_transfers|payout_intents)(/|$)"
)
"""Collections whose objects move money or cause charges."""

_MONEY_VERBS: Final = frozenset(
    {
        "approve",
        "create",
        "confirm",
        "capture",
        "increment_authorization",
        "apply_customer_balance",
        "resume",
        "reverse",
    }
)
_MONEY_ALWAYS: Final = frozenset(
    {"pay", "finalize_invoice", "accept", "attach_payment", "process_payment_intent"}
    | {"confirm_payment_intent", "refund_payment", "send_microdeposits"}
)
_MONEY_UPDATES: Final = re.compile(r"^/v1/(subscriptions|subscription_items|subscription_schedules)/\{\w+\}$")
"""Updates that can immediately charge a customer for a proration."""

_FINAL_VERBS: Final = frozenset(
    {"archive", "cancel", "close", "deactivate", "decline", "delete", "delete_where", "detach", "disable", "disconnect"}
    | {"expire", "mark_uncollectible", "redact", "reject", "release", "remove_lines", "submit", "uninstall"}
    | {"void_credit_note", "void_grant", "void_invoice"}
)
_MESSAGE: Final = re.compile(r"/send$|/terminal/readers/\{\w+\}/\w+$")
_PASSING: Final = re.compile(
    r"^/v1/(account_links|account_sessions|billing_portal/sessions|customer_sessions|ephemeral_keys|tokens"
    r"|confirmation_tokens|terminal/connection_tokens|invoices/create_preview|credit_notes/preview|tax/calculations"
    r"|accounts/\{\w+\}/login_links)(/|$)"
)


def permission_of(resource: str) -> str:
    """The restricted-key permission that reads a resource, by Stripe's naming rule: `rak_payment_intent_read`."""
    return f"rak_{PERMISSIONS.get(resource, resource).replace('.', '_')}_read"


def effect_of(kind: WriteKind, path: str, verb: str) -> SideEffect:
    """The most severe side effect of a write; DATA for an unrecognized one."""
    if "/test_helpers/" in path:
        return SideEffect.TEST
    if _PASSING.match(path):
        return SideEffect.NONE
    if verb in _MONEY_ALWAYS or (verb in _MONEY_VERBS and _MONEY.match(path)):
        return SideEffect.MONEY
    if kind is WriteKind.DELETE or verb in _FINAL_VERBS:
        return SideEffect.FINAL
    if kind is WriteKind.UPDATE and _MONEY_UPDATES.match(path):
        return SideEffect.MONEY
    if _MESSAGE.search(path):
        return SideEffect.MESSAGE
    return SideEffect.DATA
