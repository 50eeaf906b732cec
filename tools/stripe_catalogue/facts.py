"""Facts missing from the SDK's source, from Stripe's documentation, each with its reason.

Keys are resources, list paths or (list path, parameter). The generator reports keys that the
SDK does not have (`assemble.check_facts`), so that no fact outlives its cause.
"""

from __future__ import annotations

import re
from typing import Final

from engine.connectors.stripe.catalogue.model import Default

ENVELOPES: Final = frozenset({"ListObject", "SearchResultObject"})
"""Classes with an OBJECT_NAME that are response envelopes, not resources."""

# --- fields -----------------------------------------------------------------------------------------------------------

TIME_NAMES: Final = re.compile(
    r"(_at|_date)$|^(created|updated|date|start|end|expires|timestamp|frozen_time|data_load_time|redeem_by"
    r"|deletes_after|cancel_at|billed_until|trial_start|trial_end|period_start|period_end|current_period_start"
    r"|current_period_end|next_payment_attempt|result_available_until|available_on)$"
)
"""Integer fields with these names are Unix seconds, even if undocumented."""

NOT_TIMES: Final = frozenset({("terminal.reader", "last_seen_at")})
"""Integers that look like Unix seconds but are not: this one counts milliseconds."""

V2_TIME: Final = re.compile(r"(_at|_date)$|^(created|updated|timestamp)$")
"""Text fields of v2 resources with these names are RFC 3339 timestamps."""

INCLUDABLE: Final[dict[str, frozenset[str]]] = {
    "charge": frozenset({"refunds"}),
    "checkout.session": frozenset({"line_items"}),
    "coupon": frozenset({"applies_to", "currency_options"}),
    "customer": frozenset({"cash_balance", "invoice_credit_balance", "sources", "subscriptions", "tax", "tax_ids"}),
    "invoice": frozenset({"payments"}),
    "payment_link": frozenset({"line_items"}),
    "plan": frozenset({"tiers"}),
    "price": frozenset({"currency_options", "tiers"}),
    "quote": frozenset({"line_items"}),
}
"""Fields absent from a response unless expanded (the documentation calls them includable)."""

ID_PREFIXES: Final[dict[str, str]] = {
    "account": "acct_", "application": "ca_", "application_fee": "fee_", "balance_transaction": "txn_",
    "bank_account": "ba_", "billing.credit_grant": "credgr_", "billing.meter": "mtr_",
    "billing_portal.configuration": "bpc_", "billing_portal.session": "bps_", "card": "card_", "charge": "ch_",
    "checkout.session": "cs_", "confirmation_token": "ctoken_", "credit_note": "cn_",
    "credit_note_line_item": "cnli_", "customer": "cus_", "customer_balance_transaction": "cbtxn_",
    "customer_cash_balance_transaction": "ccsbtxn_", "discount": "di_", "dispute": "du_", "event": "evt_",
    "entitlements.feature": "feat_", "fee_refund": "fr_", "file": "file_", "file_link": "link_",
    "financial_connections.account": "fca_", "identity.verification_report": "vr_",
    "identity.verification_session": "vs_", "invoice": "in_", "invoice_payment": "inpay_", "invoiceitem": "ii_",
    "issuing.authorization": "iauth_", "issuing.card": "ic_", "issuing.cardholder": "ich_",
    "issuing.dispute": "idp_", "issuing.transaction": "ipi_", "item": "li_", "line_item": "il_", "mandate": "mandate_",
    "payment_intent": "pi_", "payment_link": "plink_", "payment_method": "pm_",
    "payment_method_configuration": "pmc_", "payment_method_domain": "pmd_", "payout": "po_", "person": "person_",
    "plan": "plan_", "price": "price_", "product": "prod_", "product_feature": "prodft_", "promotion_code": "promo_",
    "quote": "qt_", "radar.early_fraud_warning": "issfr_", "radar.value_list": "rsl_",
    "radar.value_list_item": "rsli_", "refund": "re_", "reporting.report_run": "frr_", "review": "prv_",
    "setup_attempt": "setatt_", "setup_intent": "seti_", "shipping_rate": "shr_", "source": "src_",
    "subscription": "sub_", "subscription_item": "si_", "subscription_schedule": "sub_sched_", "tax_id": "txi_",
    "tax.registration": "taxreg_", "tax_code": "txcd_", "tax_rate": "txr_", "terminal.configuration": "tmc_",
    "terminal.location": "tml_", "terminal.reader": "tmr_", "test_helpers.test_clock": "clock_", "token": "tok_",
    "topup": "tu_", "transfer": "tr_", "transfer_reversal": "trr_", "treasury.financial_account": "fa_",
    "webhook_endpoint": "we_",
}  # fmt: skip
"""Prefixes of ids. A hint for creating and recognizing them, never a rule: older objects and custom ids differ."""

# --- tables -----------------------------------------------------------------------------------------------------------

TABLE_NAMES: Final[dict[str, str]] = {
    "/v1/credit_notes/{credit_note}/lines": "credit_note_line_items",
    "/v1/invoiceitems": "invoice_items",
    "/v1/invoices/{invoice}/lines": "invoice_line_items",
    "/v1/radar/early_fraud_warnings": "early_fraud_warnings",
    "/v1/reporting/report_runs": "report_runs",
    "/v1/reporting/report_types": "report_types",
    "/v1/sigma/scheduled_query_runs": "scheduled_query_runs",
    "/v1/test_helpers/test_clocks": "test_clocks",
}
"""Names of Stripe's Sigma where the path differs."""

UNREADABLE: Final[dict[str, str]] = {
    "/v1/apps/secrets": "a list belongs to one scope, an account or one user of an app, and no list names the users",
    "/v1/billing/meters/{id}/event_summaries": "a computation: it needs a customer and the period to sum up",
    "/v1/credit_notes/preview/lines": "a computation: the lines of a credit note that does not exist yet",
    "/v1/sources/{source}/source_transactions": "no list names the sources of an account",
    "/v1/tax/calculations/{calculation}/line_items": "calculations are kept for 90 days at most and no list names them",
    "/v1/tax/transactions/{transaction}/line_items": "no list names the tax transactions: export them by a report run",
}
"""Lists that cannot be tables."""

DEFAULTS: Final[dict[str, tuple[Default, ...]]] = {
    "/v1/prices": (Default("active", ("true", "false")),),
    "/v1/subscriptions": (Default("status", ("all",)),),
    "/v1/tax/registrations": (Default("status", ("all",)),),
}
"""Values that disable hiding defaults: prices lists only active ones, subscriptions hides canceled ones."""

FIXED: Final[dict[str, dict[str, str]]] = {"/v1/tax/locations": {"type": "performance"}}
"""Required filters with one possible value."""

HIDDEN: Final[dict[str, str]] = {
    "/v1/customers": "customers on a test clock, unless `test_clock` is compared with their clock",
    "/v1/events": "events older than 30 days",
    "/v1/prices": "inline prices (made by `price_data`)",
    "/v1/quotes": "quotes on a test clock, unless `test_clock` or `customer` is given",
    "/v1/subscription_schedules": "schedules of customers on a test clock, unless `customer` is given",
    "/v1/subscriptions": "subscriptions on a test clock, unless `test_clock` or `customer` is given",
    "/v1/tax_ids": "tax ids of customers (see `customer_tax_ids`) and of other owners",
    "/v2/core/events": "events older than 30 days",
}
"""Rows that a list never contains by default, in words."""

QUERY_PARENTS: Final[dict[tuple[str, str], tuple[str, str]]] = {
    ("/v1/entitlements/active_entitlements", "customer"): ("/v1/customers", "id"),
    ("/v1/financial_connections/accounts/{account}/owners", "ownership"): (
        "/v1/financial_connections/accounts",
        "ownership",
    ),
    ("/v1/financial_connections/transactions", "account"): ("/v1/financial_connections/accounts", "id"),
    ("/v1/issuing/tokens", "card"): ("/v1/issuing/cards", "id"),
    ("/v1/payment_attempt_records", "payment_record"): ("/v1/payment_records", "id"),
    ("/v1/radar/value_list_items", "value_list"): ("/v1/radar/value_lists", "id"),
    ("/v1/setup_attempts", "setup_intent"): ("/v1/setup_intents", "id"),
    ("/v1/subscription_items", "subscription"): ("/v1/subscriptions", "id"),
    ("/v1/treasury/credit_reversals", "financial_account"): ("/v1/treasury/financial_accounts", "id"),
    ("/v1/treasury/debit_reversals", "financial_account"): ("/v1/treasury/financial_accounts", "id"),
    ("/v1/treasury/inbound_transfers", "financial_account"): ("/v1/treasury/financial_accounts", "id"),
    ("/v1/treasury/outbound_payments", "financial_account"): ("/v1/treasury/financial_accounts", "id"),
    ("/v1/treasury/outbound_transfers", "financial_account"): ("/v1/treasury/financial_accounts", "id"),
    ("/v1/treasury/received_credits", "financial_account"): ("/v1/treasury/financial_accounts", "id"),
    ("/v1/treasury/received_debits", "financial_account"): ("/v1/treasury/financial_accounts", "id"),
    ("/v1/treasury/transaction_entries", "financial_account"): ("/v1/treasury/financial_accounts", "id"),
    ("/v1/treasury/transactions", "financial_account"): ("/v1/treasury/financial_accounts", "id"),
}
"""Required filters, with the list and field of their values."""

PARENT_FIELDS: Final[dict[str, str]] = {"/v1/application_fees/{id}/refunds": "fee"}
"""The field of the parent's id where it is not named after the parent."""

NOT_EMBEDDED: Final = frozenset({"/v1/accounts/{account}/external_accounts"})
"""Children that are embedded in their parent only for some accounts: read them separately."""

# --- filters ----------------------------------------------------------------------------------------------------------

NOT_COLUMNS: Final = frozenset(
    {
        ("/v1/balance_transactions", "source"),  # returns only the first transaction of a source
        ("/v1/charges", "transfer_group"),  # returns at most 100 rows
        ("/v1/payment_method_configurations", "application"),  # "" has a special meaning
        ("/v1/subscriptions", "current_period_end"),  # compares the earliest end of the items
        ("/v1/subscriptions", "current_period_start"),
    }
)
"""Filters named like a column that do not compare it."""

CREATED_COLUMNS: Final[dict[str, str]] = {"/v1/invoiceitems": "date"}
"""The column of a list's `created` filter where the objects have no such field."""

LIST_COLUMNS: Final[dict[tuple[str, str], str]] = {
    ("/v1/events", "types"): "type",
    ("/v1/issuing/personalization_designs", "lookup_keys"): "lookup_key",
    ("/v1/prices", "lookup_keys"): "lookup_key",
    ("/v2/core/events", "types"): "type",
}
"""Filters that accept several values of a column."""

WIDER: Final = frozenset({("/v1/promotion_codes", "code")})
"""Filters that match more rows than the comparison: this one ignores case."""

FILTER_VALUES: Final[dict[tuple[str, str], tuple[str, ...]]] = {
    ("/v1/payouts", "status"): ("canceled", "failed", "paid", "pending"),
}
"""Values that a filter accepts, where the column has others."""

PSEUDO_VALUES: Final[dict[tuple[str, str], frozenset[str]]] = {
    ("/v1/subscriptions", "status"): frozenset({"all", "ended"}),
    ("/v1/tax/registrations", "status"): frozenset({"all"}),
}
"""Values of a filter that no row has; each matches several."""
