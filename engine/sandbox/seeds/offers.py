"""What the seeded business sells: products, prices in four currencies, coupons, tax rates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from ..flows import offers
from ..objects.operation import Operation
from ..state.store import Row
from .names import COUNTRIES

CURRENCIES: Final[Mapping[str, float]] = {"usd": 100, "eur": 92, "gbp": 80, "jpy": 150}
"""Minor units that stand for one US dollar in the price list."""

PLANS: Final = (("starter", "Starter", 19), ("team", "Team", 79), ("business", "Business", 249))
ADD_ONS: Final = (("seats", "Extra Seats", 10), ("support", "Priority Support", 99), ("audit", "Audit Log", 49))
MODULES: Final = ("Forecasts", "Cohorts", "Alerts", "Exports", "Sandboxes", "Single Sign-on", "Data Residency",
                  "Custom Roles", "Webhooks", "Sampling", "Dashboards", "Archive")  # fmt: skip


@dataclass(slots=True)
class Shelf:
    """The rows on offer: prices by `<key>_<monthly|yearly|once>_<currency>`, coupons by name, tax rates by country."""

    prices: dict[str, Row] = field(default_factory=dict)
    coupons: dict[str, Row] = field(default_factory=dict)
    tax_rates: dict[str, Row] = field(default_factory=dict)

    def price(self, key: str, interval: str, currency: str) -> Row:
        """The price of this thing."""
        return self.prices[f"{key}_{interval}_{currency}"]


def stock(op: Operation) -> Shelf:
    """Put everything on the shelf."""
    shelf = Shelf()
    for key, name, dollars in PLANS:
        _sell(op, shelf, key, f"{name} plan", dollars, {"kind": "plan"})
    for key, name, dollars in ADD_ONS:
        _sell(op, shelf, key, name, dollars, {"kind": "add_on"})
    for index, name in enumerate(MODULES):
        _sell(op, shelf, f"module{index}", f"Module: {name}", 15 + 5 * index, {"kind": "module"})
    _sell_enterprise(op, shelf)
    workshop = offers.add_product(op, {"name": "Onboarding workshop", "metadata": {"kind": "service"}})
    for currency, unit in CURRENCIES.items():
        fields = {"currency": currency, "product": workshop.id, "unit_amount": round(1_500 * unit)}
        shelf.prices[f"workshop_once_{currency}"] = offers.add_price(op, fields)
    _retire(op)
    _add_coupons(op, shelf)
    _add_tax_rates(op, shelf)
    return shelf


def _sell(op: Operation, shelf: Shelf, key: str, name: str, dollars: int, metadata: dict[str, str]) -> None:
    product = offers.add_product(
        op, {"name": name, "description": f"{name}, per month or per year", "metadata": metadata}
    )
    for currency, unit in CURRENCIES.items():
        for interval, period, times in (("monthly", "month", 1), ("yearly", "year", 10)):
            shelf.prices[f"{key}_{interval}_{currency}"] = offers.add_price(
                op,
                {
                    "currency": currency,
                    "lookup_key": f"{key}_{interval}_{currency}",
                    "nickname": f"{name} {interval}",
                    "product": product.id,
                    "recurring": offers.recurring(period),
                    "unit_amount": round(dollars * unit * times),
                },
            )
    default = shelf.prices[f"{key}_monthly_usd"]
    op.change("product", product, {"default_price": default.id})


def _sell_enterprise(op: Operation, shelf: Shelf) -> None:
    """A plan with graduated prices per seat."""
    product = offers.add_product(op, {"name": "Enterprise plan", "unit_label": "seat", "metadata": {"kind": "plan"}})
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
            shelf.prices[f"enterprise_{interval}_{currency}"] = offers.add_price(
                op,
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


def _retire(op: Operation) -> None:
    """An offer of old: neither it nor its price can be bought any more."""
    product = offers.add_product(op, {"name": "Hobby plan", "active": False, "metadata": {"kind": "plan"}})
    fields = {"active": False, "currency": "usd", "product": product.id, "unit_amount": 500}
    offers.add_price(op, {**fields, "recurring": offers.recurring("month")})


def _add_coupons(op: Operation, shelf: Shelf) -> None:
    for name, fields in (
        ("LAUNCH20", {"percent_off": 20.0, "duration": "repeating", "duration_in_months": 3}),
        ("FRIENDS10", {"percent_off": 10.0, "duration": "forever"}),
        ("WELCOME15", {"amount_off": 1_500, "currency": "usd", "duration": "once"}),
    ):
        row = op.add("coupon", {"id": name, "name": name.title(), "valid": True, **fields}, event="coupon.created")
        shelf.coupons[name] = row
    op.add(
        "promotion_code",
        {
            "active": True,
            "code": "HELLO20",
            "promotion": {"coupon": "LAUNCH20", "type": "coupon"},
            "restrictions": {"first_time_transaction": True, "minimum_amount": None, "minimum_amount_currency": None},
        },
        event="promotion_code.created",
    )


def _add_tax_rates(op: Operation, shelf: Shelf) -> None:
    for country in COUNTRIES:
        if country.vat is not None:
            shelf.tax_rates[country.code] = op.add(
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
