"""What the seeded business sells: products, prices in four currencies, coupons, tax rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..flows import offers
from ..objects import Mutation
from ..state import Row
from .names import COUNTRIES

CURRENCIES: Final[Mapping[str, float]] = {"usd": 100, "eur": 92, "gbp": 80, "jpy": 150}
"""Minor units per US dollar in the price list."""

PLANS: Final = (("starter", "Starter", 19), ("team", "Team", 79), ("business", "Business", 249))
ADD_ONS: Final = (("seats", "Extra Seats", 10), ("support", "Priority Support", 99), ("audit", "Audit Log", 49))
MODULES: Final = ("Forecasts", "Cohorts", "Alerts", "Exports", "Sandboxes", "Single Sign-on", "Data Residency",
                  "Custom Roles", "Webhooks", "Sampling", "Dashboards", "Archive")  # fmt: skip


@dataclass(slots=True)
class PriceList:
    """Rows for sale: prices by `<key>_<monthly|yearly|once>_<currency>`, coupons by name, tax rates by country."""

    prices: dict[str, Row] = field(default_factory=dict)
    coupons: dict[str, Row] = field(default_factory=dict)
    tax_rates: dict[str, Row] = field(default_factory=dict)

    def price(self, key: str, interval: str, currency: str) -> Row:
        """The price of a product."""
        return self.prices[f"{key}_{interval}_{currency}"]


def create_offers(mutation: Mutation) -> PriceList:
    """Create all offers."""
    price_list = PriceList()
    for key, name, dollars in PLANS:
        _sell(mutation, price_list, key, f"{name} plan", dollars, {"kind": "plan"})
    for key, name, dollars in ADD_ONS:
        _sell(mutation, price_list, key, name, dollars, {"kind": "add_on"})
    for index, name in enumerate(MODULES):
        _sell(mutation, price_list, f"module{index}", f"Module: {name}", 15 + 5 * index, {"kind": "module"})
    _sell_enterprise(mutation, price_list)
    workshop = offers.add_product(mutation, {"name": "Onboarding workshop", "metadata": {"kind": "service"}})
    for currency, unit in CURRENCIES.items():
        fields = {"currency": currency, "product": workshop.id, "unit_amount": round(1_500 * unit)}
        price_list.prices[f"workshop_once_{currency}"] = offers.add_price(mutation, fields)
    _add_discontinued(mutation)
    _add_coupons(mutation, price_list)
    _add_tax_rates(mutation, price_list)
    return price_list


def _sell(
    mutation: Mutation, price_list: PriceList, key: str, name: str, dollars: int, metadata: dict[str, str]
) -> None:
    product = offers.add_product(
        mutation, {"name": name, "description": f"{name}, per month or per year", "metadata": metadata}
    )
    for currency, unit in CURRENCIES.items():
        for interval, period, times in (("monthly", "month", 1), ("yearly", "year", 10)):
            price_list.prices[f"{key}_{interval}_{currency}"] = offers.add_price(
                mutation,
                {
                    "currency": currency,
                    "lookup_key": f"{key}_{interval}_{currency}",
                    "nickname": f"{name} {interval}",
                    "product": product.id,
                    "recurring": offers.recurring(period),
                    "unit_amount": round(dollars * unit * times),
                },
            )
    default = price_list.prices[f"{key}_monthly_usd"]
    mutation.change("product", product, {"default_price": default.id})


def _sell_enterprise(mutation: Mutation, price_list: PriceList) -> None:
    """A plan with graduated prices per seat."""
    product = offers.add_product(
        mutation, {"name": "Enterprise plan", "unit_label": "seat", "metadata": {"kind": "plan"}}
    )
    for currency, unit in CURRENCIES.items():
        for interval, period, times in (("monthly", "month", 1), ("yearly", "year", 10)):
            steps = ((10, 60), (50, 45), (None, 30))
            tiers: list[dict[str, Any]] = [
                {
                    "flat_amount": None,
                    "flat_amount_decimal": None,
                    "unit_amount": round(dollars * unit * times),
                    "unit_amount_decimal": str(round(dollars * unit * times)),
                    "up_to": limit,
                }
                for limit, dollars in steps
            ]
            price_list.prices[f"enterprise_{interval}_{currency}"] = offers.add_price(
                mutation,
                {
                    "billing_scheme": "tiered",
                    "currency": currency,
                    "lookup_key": f"enterprise_{interval}_{currency}",
                    "nickname": f"Enterprise {interval}",
                    "product": product.id,
                    "recurring": offers.recurring(period),
                    "tiers": tiers,
                    "tiers_mode": "graduated",
                    "unit_amount": None,
                },
            )


def _add_discontinued(mutation: Mutation) -> None:
    """Add a discontinued product with an inactive price."""
    product = offers.add_product(mutation, {"name": "Hobby plan", "active": False, "metadata": {"kind": "plan"}})
    fields = {"active": False, "currency": "usd", "product": product.id, "unit_amount": 500}
    offers.add_price(mutation, {**fields, "recurring": offers.recurring("month")})


def _add_coupons(mutation: Mutation, price_list: PriceList) -> None:
    for name, fields in (
        ("LAUNCH20", {"percent_off": 20.0, "duration": "repeating", "duration_in_months": 3}),
        ("FRIENDS10", {"percent_off": 10.0, "duration": "forever"}),
        ("WELCOME15", {"amount_off": 1_500, "currency": "usd", "duration": "once"}),
    ):
        row = mutation.add(
            "coupon", {"id": name, "name": name.title(), "valid": True, **fields}, event="coupon.created"
        )
        price_list.coupons[name] = row
    mutation.add(
        "promotion_code",
        {
            "active": True,
            "code": "HELLO20",
            "promotion": {"coupon": "LAUNCH20", "type": "coupon"},
            "restrictions": {"first_time_transaction": True, "minimum_amount": None, "minimum_amount_currency": None},
        },
        event="promotion_code.created",
    )


def _add_tax_rates(mutation: Mutation, price_list: PriceList) -> None:
    for country in COUNTRIES:
        if country.vat is not None:
            price_list.tax_rates[country.code] = mutation.add(
                "tax_rate",
                {
                    "active": True,
                    "country": country.code,
                    "description": f"VAT {country.code}",
                    "display_name": "VAT",
                    "effective_percentage": country.vat,
                    "inclusive": False,
                    "jurisdiction": country.code,
                    "jurisdiction_level": "country",
                    "percentage": country.vat,
                    "rate_type": "percentage",
                    "tax_type": "vat",
                },
                event="tax_rate.created",
            )
