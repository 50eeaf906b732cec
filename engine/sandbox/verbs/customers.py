"""Customers, their payment methods, tax ids and balance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..errors import invalid, refused
from ..flows import payments, subscribing
from ..objects import Mutation, token
from ..state import Obj, Row
from .generic import Result, WriteCall, WriteHandler, need, plain, target

SETTINGS: Final = ("custom_fields", "default_payment_method", "footer", "rendering_options")
EMAIL_LENGTH: Final = 512


def create_customer(mutation: Mutation, call: WriteCall) -> Result:
    """Create a customer and attach a given payment method."""
    params = call.params
    _check_email(params)
    method = _method(mutation, params.get("payment_method"), None)
    settings = {**dict.fromkeys(SETTINGS), **(params.get("invoice_settings") or {})}
    row = mutation.add(
        "customer",
        {
            "balance": 0,
            "delinquent": False,
            "invoice_prefix": token(mutation.random, 8).upper(),
            "next_invoice_sequence": 1,
            "preferred_locales": [],
            "tax_exempt": "none",
            **plain(mutation, "customer", params, skip=("invoice_settings", "source")),
            "invoice_settings": settings,
        },
    )
    mutation.emit("customer.created", "customer", row)
    if method is not None:
        _attach(mutation, method, row)
    for each in params.get("tax_id_data") or ():
        _add_tax_id(mutation, row, each)
    return "customer", row


def update_customer(mutation: Mutation, call: WriteCall) -> Result:
    """Update a customer."""
    _, row = target(mutation, call)
    _check_email(call.params)
    fields = plain(mutation, "customer", call.params, row, skip=("source",))
    if "invoice_settings" in call.params:
        given = call.params["invoice_settings"] or {}
        if given.get("default_payment_method"):
            need(
                mutation,
                ("payment_method",),
                given["default_payment_method"],
                "invoice_settings[default_payment_method]",
            )
        fields["invoice_settings"] = {**row.obj["invoice_settings"], **given}
    mutation.change("customer", row, fields, event="customer.updated")
    return "customer", row


def delete_customer(mutation: Mutation, call: WriteCall) -> Result:
    """Delete a customer, cancel its subscriptions and detach its cards."""
    _, row = target(mutation, call)
    for subscription in mutation.store.find_all("subscription", "customer", row.id):
        if subscription.obj["status"] not in subscribing.OVER:
            subscribing.cancel(mutation, subscription)
    for method in list(mutation.store.find_all("payment_method", "customer", row.id)):
        mutation.change("payment_method", method, {"customer": None})
    return mutation.remove("customer", row, event="customer.deleted")


def _check_email(params: Obj) -> None:
    email = params.get("email")
    if email is not None and ("@" not in email or len(email) > EMAIL_LENGTH or " " in email):
        raise invalid(f"Invalid email address: {email}", "email", "email_invalid")


def _method(mutation: Mutation, identifier: str | None, customer: Obj | None) -> Row | None:
    if identifier is None:
        return None
    card = payments.test_card(mutation, identifier, customer)
    return card or need(mutation, ("payment_method",), identifier, "payment_method")


def _attach(mutation: Mutation, method: Row, customer: Row) -> None:
    owner = method.obj["customer"]
    if owner not in (None, customer.id):
        raise refused("The payment method you provided has already been attached to a customer.")
    mutation.change("payment_method", method, {"customer": customer.id})
    mutation.emit("payment_method.attached", "payment_method", method)


def attach_method(mutation: Mutation, call: WriteCall) -> Result:
    """Attach a payment method to a customer."""
    customer = need(mutation, ("customer",), call.params.get("customer") or "", "customer")
    assert customer is not None
    method = payments.test_card(mutation, call.id, None) or target(mutation, call)[1]
    _attach(mutation, method, customer)
    return "payment_method", method


def detach_method(mutation: Mutation, call: WriteCall) -> Result:
    """Detach a payment method for good."""
    _, row = target(mutation, call)
    if row.obj["customer"] is None:
        raise refused("The payment method you provided is not attached to a customer so detachment is impossible.")
    customer = mutation.store.find("customer", row.obj["customer"])
    if customer is not None and customer.obj["invoice_settings"]["default_payment_method"] == row.id:
        settings = {**customer.obj["invoice_settings"], "default_payment_method": None}
        mutation.change("customer", customer, {"invoice_settings": settings}, event="customer.updated")
    mutation.change("payment_method", row, {"customer": None}, event="payment_method.detached")
    return "payment_method", row


def create_method(mutation: Mutation, call: WriteCall) -> Result:
    """Create a payment method from a card number or a test token."""
    params = call.params
    if params.get("type") != "card" or "card" not in params:
        raise invalid("The sandbox makes payment methods of type `card`, from `card` details.", "type")
    card = params["card"]
    details = {**payments.details_of(None), **(params.get("billing_details") or {})}
    known = payments.CARDS.get(str(card.get("token", "")).removeprefix("tok_"))
    brand, last4, declines = known or ("visa", str(card.get("number", "4242"))[-4:], None)
    row = payments.add_card(
        mutation,
        brand,
        last4,
        details,
        declines=declines,
        exp_month=card.get("exp_month"),
        exp_year=card.get("exp_year"),
        metadata=params.get("metadata"),
    )
    return "payment_method", row


def update_method(mutation: Mutation, call: WriteCall) -> Result:
    """Update an attached payment method."""
    _, row = target(mutation, call)
    if row.obj["customer"] is None:
        raise refused("You must save this PaymentMethod to a customer before you can update it.")
    fields = plain(mutation, "payment_method", call.params, row)
    mutation.change("payment_method", row, fields, event="payment_method.updated")
    return "payment_method", row


def _add_tax_id(mutation: Mutation, customer: Row | None, params: Obj) -> Row:
    owner = {"customer": customer.id, "type": "customer"} if customer else {"type": "self"}
    status = "pending" if params["type"] in ("eu_vat", "gb_vat") else "unavailable"
    fields = {
        "country": params["value"][:2] if params["value"][:2].isalpha() else None,
        "customer": customer.id if customer else None,
        "owner": owner,
        "type": params["type"],
        "value": params["value"],
        "verification": {"status": status, "verified_address": None, "verified_name": None},
    }
    return mutation.add("tax_id", fields, parent=customer.id if customer else None, event="customer.tax_id.created")


def create_tax_id(mutation: Mutation, call: WriteCall) -> Result:
    """Create a tax id of the customer in the path, or of the account."""
    customer = mutation.get("customer", call.id, in_path=True) if call.values else None
    owner = call.params.get("owner") or {}
    if owner.get("type") == "customer":
        customer = need(mutation, ("customer",), owner.get("customer", ""), "owner[customer]")
    return "tax_id", _add_tax_id(mutation, customer, call.params)


def create_balance_transaction(mutation: Mutation, call: WriteCall) -> Result:
    """Adjust a customer's balance; a negative amount is a credit."""
    customer = mutation.get("customer", call.id, in_path=True)
    balance = customer.obj["balance"] + call.params["amount"]
    row = mutation.add(
        "customer_balance_transaction",
        {
            **plain(mutation, "customer_balance_transaction", call.params),
            "customer": customer.id,
            "ending_balance": balance,
            "type": "adjustment",
        },
        parent=customer.id,
        event="customer_balance_transaction.created",
    )
    fields: dict[str, Any] = {"balance": balance}
    if customer.obj["currency"] is None:
        fields["currency"] = call.params["currency"]
    mutation.change("customer", customer, fields, event="customer.updated")
    return "customer_balance_transaction", row


def delete_discount(mutation: Mutation, call: WriteCall) -> Result:
    """End the discount of a customer or subscription."""
    resource = "customer" if call.write.path.startswith("/v1/customers") else "subscription"
    row = mutation.get(resource, call.id, in_path=True)
    ids = [row.obj["discount"]] if resource == "customer" else list(row.obj["discounts"])
    discount = mutation.store.find("discount", ids[0] or "") if ids else None
    if discount is None:
        raise invalid("No active discount for this object.", "id", "resource_missing")
    mutation.change(resource, row, {"discount": None} if resource == "customer" else {"discounts": ids[1:]})
    shown = {**discount.obj, "deleted": True, "end": mutation.now}
    mutation.remove("discount", discount)
    mutation.emit_object("customer.discount.deleted", shown)
    return shown


VERBS: Final[Mapping[tuple[str, str], WriteHandler]] = {
    ("post", "/v1/customers"): create_customer,
    ("post", "/v1/customers/{customer}"): update_customer,
    ("delete", "/v1/customers/{customer}"): delete_customer,
    ("delete", "/v1/customers/{customer}/discount"): delete_discount,
    ("delete", "/v1/subscriptions/{subscription_exposed_id}/discount"): delete_discount,
    ("post", "/v1/customers/{customer}/balance_transactions"): create_balance_transaction,
    ("post", "/v1/customers/{customer}/tax_ids"): create_tax_id,
    ("post", "/v1/tax_ids"): create_tax_id,
    ("post", "/v1/payment_methods"): create_method,
    ("post", "/v1/payment_methods/{payment_method}"): update_method,
    ("post", "/v1/payment_methods/{payment_method}/attach"): attach_method,
    ("post", "/v1/payment_methods/{payment_method}/detach"): detach_method,
}
