"""The account of a seeded business."""

from __future__ import annotations

from typing import Any, Final

from ..objects import Mutation

OPENED_BEFORE: Final = 600 * 86_400
CAPABILITIES: Final = ("card_payments", "sepa_debit_payments", "transfers")


def seed_account(mutation: Mutation, identifier: str, name: str, country: str) -> dict[str, Any]:
    """An account with payments and payouts enabled. `metadata.seeded` marks it as having a business."""
    slug = name.lower().replace(" ", "-")
    return {
        **mutation.world.shapes.blank("account"),
        "id": identifier,
        "business_profile": {
            "annual_revenue": None,
            "estimated_worker_count": None,
            "mcc": "5734",
            "minority_owned_business_designation": None,
            "name": name,
            "support_address": None,
            "support_email": f"support@{slug}.example",
            "support_phone": None,
            "support_url": None,
            "url": f"https://{slug}.example",
        },
        "business_type": "company",
        "capabilities": dict.fromkeys(CAPABILITIES, "active"),
        "charges_enabled": True,
        "controller": {"type": "account"},
        "country": country,
        "created": mutation.now - OPENED_BEFORE,
        "default_currency": "usd",
        "details_submitted": True,
        "email": f"owner@{slug}.example",
        "metadata": {"seeded": "true"},
        "payouts_enabled": True,
        "settings": _settings(name),
        "tos_acceptance": {"date": mutation.now - OPENED_BEFORE, "ip": "192.0.2.10", "user_agent": None},
        "type": "standard",
    }


def _settings(name: str) -> dict[str, Any]:
    return {
        "bacs_debit_payments": {"display_name": None, "service_user_number": None},
        "branding": dict.fromkeys(("icon", "logo", "primary_color", "secondary_color")),
        "card_issuing": {"tos_acceptance": {"date": None, "ip": None}},
        "card_payments": {
            "decline_on": {"avs_failure": False, "cvc_failure": False},
            **dict.fromkeys(
                (
                    "statement_descriptor_prefix",
                    "statement_descriptor_prefix_kana",
                    "statement_descriptor_prefix_kanji",
                )
            ),
        },
        "dashboard": {"display_name": name, "timezone": "Etc/UTC"},
        "invoices": {"default_account_tax_ids": None, "hosted_payment_method_save": "offer"},
        "payments": dict.fromkeys(
            (
                "statement_descriptor",
                "statement_descriptor_kana",
                "statement_descriptor_kanji",
                "statement_descriptor_prefix_kana",
                "statement_descriptor_prefix_kanji",
            )
        )
        | {"statement_descriptor": "WEIR SANDBOX"},
        "payouts": {
            "debit_negative_balances": True,
            "schedule": {"delay_days": 2, "interval": "weekly", "weekly_anchor": "monday"},
            "statement_descriptor": None,
        },
        "sepa_debit_payments": {},
    }
