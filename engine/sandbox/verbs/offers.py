"""Products, prices, plans, coupons, promotion codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import invalid, refused
from ..flows import offers
from ..objects import Mutation
from ..state import Obj, Row
from .generic import Result, WriteCall, WriteHandler, need, plain, target


def create_product(mutation: Mutation, call: WriteCall) -> Result:
    """Create a product and, if given, its default price."""
    identifier = call.params.get("id")
    if identifier and mutation.store.find("product", identifier):
        raise invalid("Product already exists.", "id", "resource_already_exists")
    row = offers.add_product(mutation, plain(mutation, "product", call.params))
    data = call.params.get("default_price_data")
    if data:
        price = _add_price(mutation, {**data, "product": row.id})
        mutation.change("product", row, {"default_price": price.id}, event="product.updated")
    return "product", row


def update_product(mutation: Mutation, call: WriteCall) -> Result:
    """Update a product."""
    _, row = target(mutation, call)
    fields = plain(mutation, "product", call.params, row)
    if any(row.obj.get(key) != value for key, value in fields.items()):
        mutation.change("product", row, {**fields, "updated": mutation.now}, event="product.updated")
    return "product", row


def delete_product(mutation: Mutation, call: WriteCall) -> Result:
    """Delete a product without prices."""
    _, row = target(mutation, call)
    if mutation.store.find_all("price", "product", row.id):
        raise refused("This product cannot be deleted because it has one or more user-created prices.")
    return mutation.remove("product", row, event="product.deleted")


def create_price(mutation: Mutation, call: WriteCall) -> Result:
    """Create a price for an existing or a new product."""
    params = dict(call.params)
    data = params.pop("product_data", None)
    if data:
        params["product"] = offers.add_product(mutation, plain(mutation, "product", data)).id
    elif not params.get("product"):
        raise invalid("You must specify either `product` or `product_data` when creating a price.", "product")
    return "price", _add_price(mutation, params)


def _add_price(mutation: Mutation, params: Obj) -> Row:
    tiers = params.get("tiers")
    given = (
        ("unit_amount" in params) + ("unit_amount_decimal" in params) + bool(tiers) + ("custom_unit_amount" in params)
    )
    if given != 1:
        raise invalid(
            "Exactly one of unit_amount, unit_amount_decimal, tiers and custom_unit_amount is needed.", "unit_amount"
        )
    fields = plain(mutation, "price", params, skip=("tiers", "recurring", "lookup_key", "currency_options"))
    if "unit_amount_decimal" in params:
        exact = params["unit_amount_decimal"]
        fields["unit_amount"] = int(exact) if exact.isdigit() else None
    every = params.get("recurring")
    if every:
        fields["recurring"] = offers.recurring(every["interval"], every.get("interval_count", 1), **{
            key: every[key] for key in ("meter", "trial_period_days", "usage_type") if key in every})  # fmt: skip
    if tiers:
        fields |= {"tiers": [_tier(each) for each in tiers], "unit_amount": None}
    _take_lookup_key(mutation, fields, params)
    return offers.add_price(mutation, fields)


def _tier(given: Obj) -> dict[str, Any]:
    amounts = {name: given.get(name) for name in ("flat_amount", "unit_amount")}
    exact = {f"{name}_decimal": None if value is None else str(value) for name, value in amounts.items()}
    limit = given.get("up_to")
    return {**amounts, **exact, "up_to": None if limit == "inf" else limit}


def _take_lookup_key(mutation: Mutation, fields: dict[str, Any], params: Obj) -> None:
    """Set a lookup key, unique among active prices; transfers it from its holder if requested."""
    if "lookup_key" not in params:
        return
    key = fields["lookup_key"] = params["lookup_key"]
    for holder in mutation.store.find_all("price", "lookup_key", key) if key else ():
        if not params.get("transfer_lookup_key"):
            message = f"A price (`{holder.id}`) already uses that lookup key."
            raise invalid(message, "lookup_key", "resource_already_exists")
        offers.change_price(mutation, holder, {"lookup_key": None})


def update_price(mutation: Mutation, call: WriteCall) -> Result:
    """Update a price; amounts are immutable."""
    _, row = target(mutation, call)
    fields = plain(mutation, "price", call.params, row, skip=("lookup_key", "currency_options"))
    if call.params.get("lookup_key") != row.obj["lookup_key"]:
        _take_lookup_key(mutation, fields, call.params)
    offers.change_price(mutation, row, fields)
    return "price", row


def create_plan(mutation: Mutation, call: WriteCall) -> Result:
    """Create a plan and the price that it mirrors."""
    params = call.params
    product = params.get("product")
    if isinstance(product, Mapping):
        product = offers.add_product(mutation, plain(mutation, "product", product)).id
    need(mutation, ("product",), product or "", "product")
    price = offers.add_price(
        mutation,
        {
            "id": params.get("id") or mutation.identify("plan"),
            "active": params.get("active", True),
            "currency": params["currency"],
            "metadata": params.get("metadata") or {},
            "nickname": params.get("nickname"),
            "product": product,
            "recurring": offers.recurring(params["interval"], params.get("interval_count", 1)),
            "unit_amount": params.get("amount", 0),
        },
    )
    return "plan", mutation.get("plan", price.id)


def delete_plan(mutation: Mutation, call: WriteCall) -> Result:
    """Delete a plan and its price."""
    _, row = target(mutation, call)
    price = mutation.store.find("price", row.id)
    if price is not None:
        mutation.remove("price", price, event="price.deleted")
    return mutation.remove("plan", row, event="plan.deleted")


def create_coupon(mutation: Mutation, call: WriteCall) -> Result:
    """Create a coupon: a percentage, or an amount in a currency."""
    params = call.params
    if ("percent_off" in params) == ("amount_off" in params):
        raise invalid("You must pass exactly one of percent_off and amount_off.", "percent_off")
    if "amount_off" in params and "currency" not in params:
        raise invalid("You must pass currency when passing amount_off.", "currency", "parameter_missing")
    if params.get("duration") == "repeating" and "duration_in_months" not in params:
        raise invalid(
            "You must pass duration_in_months when duration is repeating.", "duration_in_months", "parameter_missing"
        )
    identifier = params.get("id")
    if identifier and mutation.store.find("coupon", identifier):
        raise invalid("Coupon already exists.", "id", "resource_already_exists")
    fields = {"duration": "once", "valid": True, **plain(mutation, "coupon", params, skip=("currency_options",))}
    return "coupon", mutation.add("coupon", fields, event="coupon.created")


def create_promotion_code(mutation: Mutation, call: WriteCall) -> Result:
    """Create a promotion code for a coupon."""
    params = call.params
    promotion = params.get("promotion") or {"coupon": params.get("coupon"), "type": "coupon"}
    need(mutation, ("coupon",), promotion.get("coupon") or "", "promotion[coupon]")
    restrictions = {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None}
    fields = plain(mutation, "promotion_code", params, skip=("promotion", "restrictions"))
    row = mutation.add(
        "promotion_code",
        {
            "active": True,
            "code": mutation.identify("coupon").upper(),
            **fields,
            "promotion": promotion,
            "restrictions": {**restrictions, **(params.get("restrictions") or {})},
        },
        event="promotion_code.created",
    )
    return "promotion_code", row


def create_tax_rate(mutation: Mutation, call: WriteCall) -> Result:
    """Create a tax rate."""
    fields = {"active": True, **plain(mutation, "tax_rate", call.params), "rate_type": "percentage"}
    fields["effective_percentage"] = fields["percentage"]
    return "tax_rate", mutation.add("tax_rate", fields, event="tax_rate.created")


VERBS: Final[Mapping[tuple[str, str], WriteHandler]] = {
    ("post", "/v1/products"): create_product,
    ("post", "/v1/products/{id}"): update_product,
    ("delete", "/v1/products/{id}"): delete_product,
    ("post", "/v1/prices"): create_price,
    ("post", "/v1/prices/{price}"): update_price,
    ("post", "/v1/plans"): create_plan,
    ("delete", "/v1/plans/{plan}"): delete_plan,
    ("post", "/v1/coupons"): create_coupon,
    ("post", "/v1/promotion_codes"): create_promotion_code,
    ("post", "/v1/tax_rates"): create_tax_rate,
}
