"""Subscriptions and their items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import invalid, refused
from ..flows import offers, subscribing
from ..objects import Mutation
from ..options import DAY
from ..state import Obj, Row
from .generic import Result, WriteCall, WriteHandler, event_name, need, plain, target

SKIP: Final = ("customer", "items", "discounts", "automatic_tax", "billing_mode", "invoice_settings",
               "payment_settings", "pause_collection", "trial_settings", "cancellation_details", "cancel_at",
               "billing_cycle_anchor", "default_tax_rates", "trial_end")  # fmt: skip
COPIED: Final = ("metadata", "billing_thresholds", "tax_rates")


def create_subscription(mutation: Mutation, call: WriteCall) -> Result:
    """Create a subscription; bills it immediately unless it starts with a trial."""
    params = call.params
    customer = need(mutation, ("customer",), params.get("customer") or "", "customer")
    assert customer is not None
    picks = [_pick(mutation, each) for each in params.get("items") or ()]
    fields = plain(mutation, "subscription", params, skip=SKIP)
    if params.get("collection_method") == "send_invoice" and "days_until_due" not in params:
        raise invalid("You must pass days_until_due when collection_method is send_invoice.", "days_until_due")
    if params.get("default_tax_rates"):
        for rate in params["default_tax_rates"]:
            need(mutation, ("tax_rate",), rate, "default_tax_rates")
        fields["default_tax_rates"] = params["default_tax_rates"]
    coupon = None
    for each in params.get("discounts") or ():
        coupon = need(mutation, ("coupon",), each.get("coupon") or "", "discounts")
    method = subscribing.default_method(mutation, customer)
    if params.get("default_payment_method"):
        method = mutation.get("payment_method", params["default_payment_method"], param="default_payment_method")
    trial_end = _trial_end(mutation, params)
    automatic = params.get("collection_method", "charge_automatically") == "charge_automatically"
    if method is None and automatic and trial_end is None and params.get("payment_behavior") != "default_incomplete":
        raise refused("This customer has no attached payment source or default payment method.", "resource_missing")
    row = subscribing.subscribe(mutation, customer, picks, fields, trial_end=trial_end, coupon=coupon)
    hold = params.get("payment_behavior") == "default_incomplete"
    subscribing.start(mutation, row, None if hold else method)
    return "subscription", row


def _pick(mutation: Mutation, given: Obj) -> tuple[Row, int, dict[str, Any]]:
    identifier = given.get("price") or given.get("plan")
    data = given.get("price_data")
    if identifier is None and data:
        fields = {**data, "recurring": offers.recurring(**_every(data["recurring"]))}
        price = offers.add_price(mutation, fields)
        mutation.store.table("price").annotate(price, {"inline": True})
    else:
        found = need(mutation, ("price",), identifier or "", "items[0][price]")
        assert found is not None
        price = found
    return price, given.get("quantity", 1), {key: given[key] for key in COPIED if given.get(key)}


def _every(given: Obj) -> dict[str, Any]:
    return {"interval": given["interval"], "count": given.get("interval_count", 1)}


def _trial_end(mutation: Mutation, params: Obj) -> int | None:
    end = params.get("trial_end")
    if isinstance(end, int):
        return end
    days = params.get("trial_period_days")
    return mutation.now + days * DAY if days and end != "now" else None


def update_subscription(mutation: Mutation, call: WriteCall) -> Result:
    """Update a subscription and its items. Without proration: changes are billed from the next period."""
    _, row = target(mutation, call)
    if row.obj["status"] in subscribing.OVER and set(call.params) - {"metadata", "cancellation_details"}:
        raise refused("A canceled subscription can only update its cancellation_details and metadata.")
    before = mutation.world.renderer.show(mutation.store, "subscription", row)
    fields = plain(mutation, "subscription", call.params, row, skip=SKIP)
    fields |= _ending(mutation, row, call.params)
    if "pause_collection" in call.params:
        given = call.params["pause_collection"]
        fields["pause_collection"] = None if given is None else {"resumes_at": None, **given}
    if "cancellation_details" in call.params:
        fields["cancellation_details"] = {
            **row.obj["cancellation_details"],
            **(call.params["cancellation_details"] or {}),
        }
    if "trial_end" in call.params:
        fields |= _end_trial(mutation, row, call.params["trial_end"])
    if "default_tax_rates" in call.params:
        fields["default_tax_rates"] = call.params["default_tax_rates"] or []
    for each in call.params.get("items") or ():
        _update_pick(mutation, row, each)
    mutation.change("subscription", row, fields)
    _announce(mutation, row, before)
    return "subscription", row


def _announce(mutation: Mutation, row: Row, before: Obj) -> None:
    if mutation.world.renderer.show(mutation.store, "subscription", row) != before:
        mutation.emit("customer.subscription.updated", "subscription", row, before)


def _ending(mutation: Mutation, row: Row, params: Obj) -> dict[str, Any]:
    """The fields that set the end of the subscription."""
    if "cancel_at" in params:
        timestamp = params["cancel_at"]
        if isinstance(timestamp, str):
            timestamp = max(item.obj["current_period_end"] for item in subscribing.items_of(mutation, row))
        return {"cancel_at": timestamp, "canceled_at": mutation.now if timestamp else None}
    if "cancel_at_period_end" not in params:
        return {}
    if not params["cancel_at_period_end"]:
        return {"cancel_at_period_end": False, "cancel_at": None, "canceled_at": None}
    end = max(item.obj["current_period_end"] for item in subscribing.items_of(mutation, row))
    said = {**row.obj["cancellation_details"], "reason": "cancellation_requested"}
    return {"cancel_at_period_end": True, "cancel_at": end, "canceled_at": mutation.now, "cancellation_details": said}


def _end_trial(mutation: Mutation, row: Row, end: Any) -> dict[str, Any]:
    if end == "now":
        if row.obj["status"] != "trialing":
            return {}
        for item in subscribing.items_of(mutation, row):
            mutation.change("subscription_item", item, {"current_period_end": mutation.now})
        customer = mutation.get("customer", row.obj["customer"])
        subscribing.renew(mutation, row, subscribing.default_method(mutation, customer, row))
        return {"trial_end": mutation.now}
    if end is None:
        return {}
    for item in subscribing.items_of(mutation, row):
        mutation.change("subscription_item", item, {"current_period_end": end})
    return {"trial_end": end, "trial_start": row.obj["trial_start"] or mutation.now, "status": "trialing"}


def _update_pick(mutation: Mutation, subscription: Row, given: Obj) -> None:
    if not given.get("id"):
        price, quantity, more = _pick(mutation, given)
        subscribing.add_item(mutation, subscription, price, quantity, more)
        return
    item = mutation.get("subscription_item", given["id"], param="items")
    if given.get("deleted"):
        mutation.remove("subscription_item", item)
        return
    mutation.change("subscription_item", item, _item_fields(mutation, item, given))


def _item_fields(mutation: Mutation, item: Row, given: Obj) -> dict[str, Any]:
    fields: dict[str, Any] = plain(
        mutation, "subscription_item", given, item, skip=("id", "price", "plan", "discounts", "tax_rates")
    )
    if given.get("price"):
        price = need(mutation, ("price",), given["price"], "price")
        assert price is not None
        fields |= {"price": price.id, "plan": price.id}
    return fields


def cancel_subscription(mutation: Mutation, call: WriteCall) -> Result:
    """Cancel a subscription immediately."""
    _, row = target(mutation, call)
    subscribing.cancel(mutation, row, call.params.get("cancellation_details"))
    return "subscription", row


def resume_subscription(mutation: Mutation, call: WriteCall) -> Result:
    """Resume a paused subscription."""
    _, row = target(mutation, call)
    if row.obj["status"] != "paused":
        raise refused("Only a subscription with the status paused can be resumed.")
    mutation.change(
        "subscription", row, {"status": "active", "pause_collection": None}, event="customer.subscription.resumed"
    )
    return "subscription", row


def pause_subscription(mutation: Mutation, call: WriteCall) -> Result:
    """Pause an active subscription."""
    _, row = target(mutation, call)
    if row.obj["status"] != "active":
        raise refused("Only a subscription with the status active can be paused.")
    mutation.change("subscription", row, {"status": "paused"}, event="customer.subscription.paused")
    return "subscription", row


def create_item(mutation: Mutation, call: WriteCall) -> Result:
    """Add an item to a subscription."""
    subscription = need(mutation, ("subscription",), call.params["subscription"], "subscription")
    assert subscription is not None
    before = mutation.world.renderer.show(mutation.store, "subscription", subscription)
    price, quantity, more = _pick(mutation, call.params)
    row = subscribing.add_item(mutation, subscription, price, quantity, more)
    _announce(mutation, subscription, before)
    return "subscription_item", row


def update_item(mutation: Mutation, call: WriteCall) -> Result:
    """Update the price or quantity of an item."""
    _, row = target(mutation, call)
    subscription = mutation.get("subscription", row.obj["subscription"])
    before = mutation.world.renderer.show(mutation.store, "subscription", subscription)
    mutation.change("subscription_item", row, _item_fields(mutation, row, call.params))
    _announce(mutation, subscription, before)
    return "subscription_item", row


def delete_item(mutation: Mutation, call: WriteCall) -> Result:
    """Delete an item; a subscription keeps at least one."""
    _, row = target(mutation, call)
    subscription = mutation.get("subscription", row.obj["subscription"])
    if len(subscribing.items_of(mutation, subscription)) == 1:
        raise refused("A subscription must have at least one active plan. To cancel, delete the subscription.")
    before = mutation.world.renderer.show(mutation.store, "subscription", subscription)
    gone = mutation.remove("subscription_item", row, event=event_name(mutation, "subscription_item", "deleted"))
    _announce(mutation, subscription, before)
    return gone


VERBS: Final[Mapping[tuple[str, str], WriteHandler]] = {
    ("post", "/v1/subscriptions"): create_subscription,
    ("post", "/v1/subscriptions/{subscription_exposed_id}"): update_subscription,
    ("delete", "/v1/subscriptions/{subscription_exposed_id}"): cancel_subscription,
    ("post", "/v1/subscriptions/{subscription}/resume"): resume_subscription,
    ("post", "/v1/subscriptions/{subscription}/pause"): pause_subscription,
    ("post", "/v1/subscription_items"): create_item,
    ("post", "/v1/subscription_items/{item}"): update_item,
    ("delete", "/v1/subscription_items/{item}"): delete_item,
}
