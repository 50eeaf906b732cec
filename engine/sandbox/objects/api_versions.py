"""Objects in the shape of an older API version, for events of endpoints pinned to one.

Covers only often-read fields that changed between versions: enough to detect a client that assumes the current shape.
"""

from __future__ import annotations

from typing import Any, Final

MOVED: Final = "2025-03-31"
"""The version that changed the shape of subscriptions and invoices."""


def render_at(version: str, shown: dict[str, Any]) -> dict[str, Any]:
    """Convert an object to this version (`2024-06-20`, `2025-09-30.clover`)."""
    if version[:10] >= MOVED:
        return shown
    match shown["object"]:
        case "subscription":
            return _old_subscription(shown)
        case "invoice":
            return _old_invoice(shown)
        case _:
            return shown


def _old_subscription(shown: dict[str, Any]) -> dict[str, Any]:
    items = shown["items"]["data"]
    older = {
        **shown,
        "current_period_end": max((each["current_period_end"] for each in items), default=0),
        "current_period_start": max((each["current_period_start"] for each in items), default=0),
        "discount": None,
    }
    for name in ("billing_mode", "billing_schedules", "status_details"):
        older.pop(name, None)
    return older


def _old_invoice(shown: dict[str, Any]) -> dict[str, Any]:
    parent = shown.get("parent") or {}
    details = parent.get("subscription_details") or {}
    older = {
        **shown,
        "paid": shown["status"] == "paid",
        "subscription": details.get("subscription"),
        "tax": sum(each["amount"] for each in shown.get("total_taxes") or ()) or None,
    }
    for name in ("parent", "total_taxes", "amount_overpaid", "status_details", "confirmation_secret"):
        older.pop(name, None)
    return older
