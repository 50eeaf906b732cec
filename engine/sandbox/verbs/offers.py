"""Products, prices, plans, coupons, promotion codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import invalid, refused
from ..flows import offers
from ..objects.operation import Operation
from ..state.store import Obj, Row
from ..writes import Call, Result, Verb, need, plain, target


def create_product(op: Operation, call: Call) -> Result:
    """A new product, with its default price if one is described."""
    identifier = call.params.get("id")
    if identifier and op.store.find("product", identifier):
        raise invalid("Product already exists.", "id", "resource_already_exists")
    row = offers.add_product(op, plain(op, "product", call.params))
    data = call.params.get("default_price_data")
    if data:
        price = _add_price(op, {**data, "product": row.id})
        op.change("product", row, {"default_price": price.id}, event="product.updated")
    return "product", row


def update_product(op: Operation, call: Call) -> Result:
    """The product with other values."""
    _, row = target(op, call)
    fields = plain(op, "product", call.params, row)
    if any(row.obj.get(key) != value for key, value in fields.items()):
        op.change("product", row, {**fields, "updated": op.now}, event="product.updated")
    return "product", row


def delete_product(op: Operation, call: Call) -> Result:
    """The product is gone; it must have no prices."""
    _, row = target(op, call)
    if op.store.find_all("price", "product", row.id):
        raise refused("This product cannot be deleted because it has one or more user-created prices.")
    return op.remove("product", row, event="product.deleted")


def create_price(op: Operation, call: Call) -> Result:
    """A new price, for a product that exists or is made with it."""
    params = dict(call.params)
    data = params.pop("product_data", None)
    if data:
        params["product"] = offers.add_product(op, plain(op, "product", data)).id
    elif not params.get("product"):
        raise invalid("You must specify either `product` or `product_data` when creating a price.", "product")
    return "price", _add_price(op, params)


def _add_price(op: Operation, params: Obj) -> Row:
    tiers = params.get("tiers")
    given = (
        ("unit_amount" in params) + ("unit_amount_decimal" in params) + bool(tiers) + ("custom_unit_amount" in params)
    )
    if given != 1:
        raise invalid(
            "Exactly one of unit_amount, unit_amount_decimal, tiers and custom_unit_amount is needed.", "unit_amount"
        )
    fields = plain(op, "price", params, skip=("tiers", "recurring", "lookup_key", "currency_options"))
    if "unit_amount_decimal" in params:
        exact = params["unit_amount_decimal"]
        fields["unit_amount"] = int(exact) if exact.isdigit() else None
    every = params.get("recurring")
    if every:
        fields["recurring"] = offers.recurring(every["interval"], every.get("interval_count", 1), **{
            key: every[key] for key in ("meter", "trial_period_days", "usage_type") if key in every})  # fmt: skip
    if tiers:
        fields |= {"tiers": [_tier(each) for each in tiers], "unit_amount": None}
    _take_lookup_key(op, fields, params)
    return offers.add_price(op, fields)


def _tier(given: Obj) -> dict[str, Any]:
    amounts = {name: given.get(name) for name in ("flat_amount", "unit_amount")}
    exact = {f"{name}_decimal": None if value is None else str(value) for name, value in amounts.items()}
    limit = given.get("up_to")
    return {**amounts, **exact, "up_to": None if limit == "inf" else limit}


def _take_lookup_key(op: Operation, fields: dict[str, Any], params: Obj) -> None:
    """Set a lookup key, which only one active price has: the other keeps or gives it up as asked."""
    if "lookup_key" not in params:
        return
    key = fields["lookup_key"] = params["lookup_key"]
    for holder in op.store.find_all("price", "lookup_key", key) if key else ():
        if not params.get("transfer_lookup_key"):
            message = f"A price (`{holder.id}`) already uses that lookup key."
            raise invalid(message, "lookup_key", "resource_already_exists")
        offers.change_price(op, holder, {"lookup_key": None})


def update_price(op: Operation, call: Call) -> Result:
    """The price with other values; amounts never change."""
    _, row = target(op, call)
    fields = plain(op, "price", call.params, row, skip=("lookup_key", "currency_options"))
    if call.params.get("lookup_key") != row.obj["lookup_key"]:
        _take_lookup_key(op, fields, call.params)
    offers.change_price(op, row, fields)
    return "price", row


def create_plan(op: Operation, call: Call) -> Result:
    """A plan, and the price that it mirrors."""
    params = call.params
    product = params.get("product")
    if isinstance(product, Mapping):
        product = offers.add_product(op, plain(op, "product", product)).id
    need(op, ("product",), product or "", "product")
    price = offers.add_price(
        op,
        {
            "id": params.get("id") or op.identify("plan"),
            "active": params.get("active", True),
            "currency": params["currency"],
            "metadata": params.get("metadata") or {},
            "nickname": params.get("nickname"),
            "product": product,
            "recurring": offers.recurring(params["interval"], params.get("interval_count", 1)),
            "unit_amount": params.get("amount", 0),
        },
    )
    return "plan", op.get("plan", price.id)


def delete_plan(op: Operation, call: Call) -> Result:
    """The plan is gone, and its price."""
    _, row = target(op, call)
    price = op.store.find("price", row.id)
    if price is not None:
        op.remove("price", price, event="price.deleted")
    return op.remove("plan", row, event="plan.deleted")


def create_coupon(op: Operation, call: Call) -> Result:
    """A new coupon: a percentage, or an amount in a currency."""
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
    if identifier and op.store.find("coupon", identifier):
        raise invalid("Coupon already exists.", "id", "resource_already_exists")
    fields = {"duration": "once", "valid": True, **plain(op, "coupon", params, skip=("currency_options",))}
    return "coupon", op.add("coupon", fields, event="coupon.created")


def create_promotion_code(op: Operation, call: Call) -> Result:
    """A new code for a coupon."""
    params = call.params
    promotion = params.get("promotion") or {"coupon": params.get("coupon"), "type": "coupon"}
    need(op, ("coupon",), promotion.get("coupon") or "", "promotion[coupon]")
    restrictions = {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None}
    fields = plain(op, "promotion_code", params, skip=("promotion", "restrictions"))
    row = op.add(
        "promotion_code",
        {
            "active": True,
            "code": op.identify("coupon").upper(),
            **fields,
            "promotion": promotion,
            "restrictions": {**restrictions, **(params.get("restrictions") or {})},
        },
        event="promotion_code.created",
    )
    return "promotion_code", row


def create_tax_rate(op: Operation, call: Call) -> Result:
    """A new tax rate."""
    fields = {"active": True, **plain(op, "tax_rate", call.params), "rate_type": "percentage"}
    fields["effective_percentage"] = fields["percentage"]
    return "tax_rate", op.add("tax_rate", fields, event="tax_rate.created")


VERBS: Final[Mapping[tuple[str, str], Verb]] = {
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
