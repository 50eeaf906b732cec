"""The customers of the seeded business and their cards."""

from __future__ import annotations

from random import Random
from typing import Any, Final

from ..flows.payments import add_card, details_of
from ..objects import Mutation, token
from ..state import Row
from .names import COMPANY, COUNTRIES, FIRST, LAST, PHONES, STREET, TRADE, VAT_IDS, Country

CHANNELS: Final = ("organic", "partner", "ads", "event", "referral")
TIERS: Final = ("free", "pro", "enterprise")


def pick_country(source: Random) -> Country:
    """A random country, weighted by its number of customers."""
    return source.choices(COUNTRIES, [country.weight for country in COUNTRIES])[0]


def add_customer(mutation: Mutation, index: int, country: Country, tier: str) -> Row:
    """Add the customer with this number. Every ninth has only an email, the others also a name."""
    source = mutation.random
    first, last = source.choice(FIRST), source.choice(LAST)
    company = f"{source.choice(COMPANY)} {source.choice(TRADE)}"
    business = source.random() < 0.6
    silent = index % 9 == 8
    domain = f"{company.lower().replace(' ', '-')}.example" if business else "mail.example"
    name = company if business else f"{first} {last}"
    return mutation.add(
        "customer",
        {
            "address": None if silent else _address(source, country),
            "balance": 0,
            "delinquent": False,
            "description": None if silent else f"{tier.title()} customer",
            "email": f"{first}.{last}{index}@{domain}".lower(),
            "business_name": company if business and not silent else None,
            "individual_name": None if business or silent else f"{first} {last}",
            "invoice_prefix": token(source, 8).upper(),
            "invoice_settings": dict.fromkeys(
                ("custom_fields", "default_payment_method", "footer", "rendering_options")
            ),
            "metadata": {"tier": tier, "channel": source.choice(CHANNELS), "crm_id": f"crm-{1000 + index}"},
            "name": None if silent else name,
            "next_invoice_sequence": 1,
            "phone": None if silent else f"{PHONES[country.code]}{source.randrange(10**6, 10**7)}",
            "preferred_locales": [],
            "tax_exempt": "none",
        },
        event="customer.created",
    )


def _address(source: Random, country: Country) -> dict[str, Any]:
    city, postal_code, state = source.choice(country.cities)
    return {
        "city": city,
        "country": country.code,
        "line1": f"{source.randrange(1, 200)} {source.choice(STREET)}",
        "line2": None,
        "postal_code": postal_code,
        "state": state,
    }


def give_card(mutation: Mutation, customer: Row, country: Country) -> Row:
    """Add a card, attach it to the customer and make it the default."""
    brand = mutation.random.choice(("visa", "visa", "mastercard", "amex"))
    method = add_card(
        mutation,
        brand,
        f"{mutation.random.randrange(10_000):04d}",
        details_of(customer.obj),
        country=country.code,
        customer=customer.id,
        exp_month=mutation.random.randrange(1, 13),
        exp_year=mutation.random.randrange(2027, 2032),
        event="payment_method.attached",
    )
    settings = {**customer.obj["invoice_settings"], "default_payment_method": method.id}
    mutation.change("customer", customer, {"invoice_settings": settings}, event="customer.updated")
    return method


def give_vat_id(mutation: Mutation, customer: Row, country: Country) -> None:
    """Add the tax id of a company in the European Union or the United Kingdom."""
    mutation.add(
        "tax_id",
        {
            "country": country.code,
            "customer": customer.id,
            "owner": {"customer": customer.id, "type": "customer"},
            "type": "gb_vat" if country.code == "GB" else "eu_vat",
            "value": VAT_IDS[country.code].format(mutation.random.randrange(10**8, 10**9)),
            "verification": {"status": "verified", "verified_address": None, "verified_name": None},
        },
        parent=customer.id,
        event="customer.tax_id.created",
    )
