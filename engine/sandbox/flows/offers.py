"""Products, prices (with the plans that mirror them), coupons, discounts, tax rates."""

from __future__ import annotations

from typing import Any

from ..objects import Mutation
from ..state import Obj, Row

PLAN_FIELDS = ("active", "billing_scheme", "currency", "livemode", "metadata", "nickname", "product", "tiers_mode")


def add_product(mutation: Mutation, fields: Obj) -> Row:
    """Create a product, active by default."""
    defaults = {"active": True, "type": "service", "images": [], "marketing_features": [], "updated": mutation.now}
    return mutation.add("product", {**defaults, **fields}, event="product.created")


def add_price(mutation: Mutation, fields: Obj) -> Row:
    """Create a price. A recurring price has a plan with the same id, as in Stripe."""
    amount = fields.get("unit_amount")
    defaults: dict[str, Any] = {
        "active": True,
        "billing_scheme": "per_unit",
        "tax_behavior": "unspecified",
        "type": "recurring" if fields.get("recurring") else "one_time",
        "unit_amount_decimal": None if amount is None else str(amount),
    }
    tiers = fields.get("tiers")
    shown = {key: value for key, value in fields.items() if key != "tiers"}
    row = mutation.add("price", {**defaults, **shown}, extra={"tiers": tiers} if tiers else None)
    if row.obj["type"] == "recurring":
        _add_plan(mutation, row)
    mutation.emit("price.created", "price", row)
    return row


def change_price(mutation: Mutation, row: Row, fields: Obj) -> None:
    """Change a price and the plan that mirrors it."""
    plan = mutation.store.find("plan", row.id)
    if plan is not None:
        mutation.change("plan", plan, {key: value for key, value in fields.items() if key in PLAN_FIELDS})
    mutation.change("price", row, fields, event="price.updated")


def _add_plan(mutation: Mutation, price: Row) -> None:
    recurring = price.obj["recurring"]
    mutation.add(
        "plan",
        {
            "id": price.id,
            "created": price.obj["created"],
            **{name: price.obj[name] for name in PLAN_FIELDS},
            "amount": price.obj["unit_amount"],
            "amount_decimal": price.obj["unit_amount_decimal"],
            "interval": recurring["interval"],
            "interval_count": recurring["interval_count"],
            "meter": recurring["meter"],
            "trial_period_days": recurring["trial_period_days"],
            "usage_type": recurring["usage_type"],
        },
        event="plan.created",
    )


def recurring(interval: str, count: int = 1, **more: Any) -> dict[str, Any]:
    """The `recurring` part of a price."""
    plain = {"meter": None, "trial_period_days": None, "usage_type": "licensed"}
    return {"interval": interval, "interval_count": count, **plain, **more}


def cost(price: Row, quantity: int) -> int:
    """The amount for a quantity, in minor units."""
    tiers = (price.extra or {}).get("tiers")
    if not tiers:
        return int(price.obj["unit_amount"] or 0) * quantity
    total = start = 0
    graduated = price.obj["tiers_mode"] == "graduated"
    for tier in tiers:
        limit = tier["up_to"]
        inside = limit is None or quantity <= limit
        share = (quantity if inside else limit) - start if graduated else quantity
        if graduated or inside:
            total += share * (tier["unit_amount"] or 0) + (tier["flat_amount"] or 0)
        if inside:
            break
        start = limit
    return total


def add_discount(mutation: Mutation, coupon: Row, *, customer: str | None, subscription: str | None = None) -> Row:
    """Apply a coupon to a customer or a subscription and count the redemption."""
    months = coupon.obj["duration_in_months"]
    end = mutation.now + months * 30 * 86_400 if coupon.obj["duration"] == "repeating" and months else None
    row = mutation.add(
        "discount",
        {
            "customer": customer,
            "end": end,
            "source": {"coupon": coupon.id, "type": "coupon"},
            "start": mutation.now,
            "subscription": subscription,
        },
    )
    mutation.change("coupon", coupon, {"times_redeemed": coupon.obj["times_redeemed"] + 1})
    mutation.emit("customer.discount.created", "discount", row)
    return row


def taken_off(mutation: Mutation, discount: Row, amount: int, used: int = 0) -> int:
    """The discount on this amount; `used` is the part of an amount-off coupon that is already spent."""
    if discount.obj["end"] is not None and discount.obj["end"] <= mutation.now:
        return 0
    coupon = mutation.store.find("coupon", discount.obj["source"]["coupon"])
    if coupon is None:
        return 0
    if coupon.obj["percent_off"] is not None:
        percent: float = coupon.obj["percent_off"]
        return round(amount * percent / 100)
    return max(0, min(amount, (coupon.obj["amount_off"] or 0) - used))
