"""Eighteen months of a small subscription business, customer by customer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Final

from ..flows import invoicing, returns, subscribing
from ..objects import Mutation
from ..options import DAY, EVENT_RETENTION
from ..state import Row
from . import people, stories
from .names import Country
from .offers import MODULES, PriceList, create_offers
from .scenarios import Scenario
from .treasury import add_banks, pay_out_weekly

HISTORY: Final = 540 * DAY
EVERY: Final = 60
"""Number of customers after which the scenarios repeat."""


@dataclass(slots=True)
class CustomerHistory:
    """The state of one customer's simulation."""

    mutation: Mutation
    price_list: PriceList
    index: int
    end: int
    country: Country
    customer: Row
    scenario: Scenario | None

    @property
    def source(self) -> Random:
        """The random source of this customer."""
        return self.mutation.random


def seed_business(mutation: Mutation, customers: int, seed: int | str) -> None:
    """Fill a store with this many customers and their history up to the mutation's `now`.

    Each customer has its own random source: a larger business starts with the same customers.
    """
    end = mutation.now
    recorded = end - EVENT_RETENTION
    base = replace(mutation, events_from=recorded, random=Random(f"{seed}/offers"), now=end - HISTORY - 20 * DAY)  # noqa: S311
    price_list = create_offers(base)
    for index in range(customers):
        source = Random(f"{seed}/customer/{index}")  # noqa: S311 - reproducible data, not secrets
        _simulate(replace(base, random=source), price_list, index, end)
    treasury = replace(base, random=Random(f"{seed}/treasury"))  # noqa: S311
    banks = add_banks(treasury)
    pay_out_weekly(treasury, banks, end)


def _simulate(mutation: Mutation, price_list: PriceList, index: int, end: int) -> None:
    """Simulate the whole history of one customer."""
    number = index % EVERY
    scenario = Scenario(number) if number in Scenario._value2member_map_ else None
    country = people.pick_country(mutation.random)
    mutation.now = end - _age(mutation.random, scenario)
    tier = (
        "enterprise"
        if scenario in (Scenario.MANY_ITEMS, Scenario.MANY_ITEMS_TOO)
        else mutation.random.choices(("free", "pro", "enterprise"), (2, 6, 2))[0]
    )
    customer = people.add_customer(mutation, index, country, tier)
    history = CustomerHistory(mutation, price_list, index, end, country, customer, scenario)
    if scenario is Scenario.DELETED:
        mutation.now = end - 5 * DAY
        mutation.remove("customer", customer, event="customer.deleted")
        return
    if scenario is Scenario.LEAD or (scenario is None and tier == "free"):
        return
    method = people.give_card(mutation, customer, country)
    if country.vat is not None and customer.obj["business_name"] and index % 3:
        people.give_vat_id(mutation, customer, country)
    if scenario is Scenario.QUOTE:
        stories.quote(mutation, price_list, customer, country.currency)
    mutation.now += mutation.random.randrange(600, 2 * DAY)
    if mutation.now >= end:
        return
    _subscribe(history, method)


def _age(source: Random, scenario: Scenario | None) -> int:
    """The age of a customer in seconds; signups increase over time."""
    if scenario is Scenario.TRIALING:
        return source.randrange(3 * DAY, 8 * DAY)
    if scenario is not None:
        return source.randrange(150 * DAY, 400 * DAY)
    return 6 * 3600 + int((HISTORY - DAY) * (1 - source.random() ** 0.6))


def _subscribe(history: CustomerHistory, method: Row) -> None:
    mutation, price_list, scenario = history.mutation, history.price_list, history.scenario
    yearly = scenario is Scenario.YEARLY or (scenario is None and mutation.random.random() < 0.15)
    rate = price_list.tax_rates.get(history.country.code)
    trial = 14 * DAY if scenario in (Scenario.TRIALING, Scenario.LONG_TRIAL) or mutation.random.random() < 0.2 else None
    coupon = price_list.coupons["LAUNCH20"] if mutation.random.random() < 0.15 else None
    by_invoice = {"collection_method": "send_invoice", "days_until_due": 30} if scenario is Scenario.BY_INVOICE else {}
    subscription = subscribing.subscribe(
        mutation,
        history.customer,
        [(price, quantity, {}) for price, quantity in _picks(history, "yearly" if yearly else "monthly")],
        {
            "default_payment_method": method.id if history.index % 4 == 0 else None,
            "default_tax_rates": [rate.id] if rate else [],
            "metadata": {"source": mutation.random.choice(("website", "sales"))},
            **by_invoice,
        },
        trial_end=mutation.now + trial if trial else None,
        coupon=coupon,
    )
    subscribing.start(mutation, subscription, method)
    stories.settle_by_invoice(mutation, subscription, method, history.end)
    if scenario is Scenario.TWO_SUBSCRIPTIONS:
        extra = price_list.price("support", "monthly", subscription.obj["currency"])
        second = subscribing.subscribe(mutation, history.customer, [(extra, 1, {})], {"metadata": {"source": "upsell"}})
        subscribing.start(mutation, second, method)
        _renew_until_end(with_own_time(history), second, method)
    _renew_until_end(history, subscription, method)
    stories.finish(history.mutation, history.scenario, history.customer, subscription, history.end)


def with_own_time(history: CustomerHistory) -> CustomerHistory:
    """A copy with its own `now`, for a second, concurrent subscription."""
    return replace(history, mutation=replace(history.mutation))


def _picks(history: CustomerHistory, interval: str) -> list[tuple[Row, int]]:
    currency, source, price_list = history.country.currency, history.source, history.price_list
    tier = history.customer.obj["metadata"]["tier"]
    if history.scenario in (Scenario.MANY_ITEMS, Scenario.MANY_ITEMS_TOO):
        picks = [(price_list.price("enterprise", interval, currency), source.randrange(12, 90))]
        picks += [(price_list.price(f"module{number}", interval, currency), 1) for number in range(len(MODULES))]
        return [*picks, (price_list.price("support", interval, currency), 1)]
    if tier == "enterprise":
        picks = [(price_list.price("enterprise", interval, currency), source.randrange(5, 70))]
    else:
        picks = [(price_list.price(source.choice(("starter", "team", "team", "business")), interval, currency), 1)]
    for key, chance in (("seats", 0.35), ("support", 0.2), ("audit", 0.15)):
        if source.random() < chance:
            picks.append((price_list.price(key, interval, currency), source.randrange(1, 9) if key == "seats" else 1))
    return picks


def _renew_until_end(history: CustomerHistory, subscription: Row, method: Row) -> None:
    """Renew until the present or until the customer churns."""
    mutation, end = history.mutation, history.end
    leaves = _leaves(history)
    while subscription.obj["status"] in ("active", "trialing", "past_due"):
        due = min(item.obj["current_period_end"] for item in subscribing.items_of(mutation, subscription))
        if leaves is not None and leaves < min(due, end):
            mutation.now = leaves
            feedback = mutation.random.choice(("too_expensive", "missing_features", "unused", None))
            subscribing.cancel(mutation, subscription, {"feedback": feedback})
            return
        if due >= end:
            return
        mutation.now = due
        stories.before_renewal(mutation, history.scenario, history.customer, subscription, end)
        last = subscribing.after(due, "month") >= end
        _renew(history, subscription, method, fails=history.scenario is Scenario.PAST_DUE and last)


def _leaves(history: CustomerHistory) -> int | None:
    if history.scenario is Scenario.CANCELED:
        return history.end - 12 * DAY
    if history.scenario is not None:
        return None
    months = 1 + int(history.source.expovariate(1 / 20))
    return history.mutation.now + months * 30 * DAY + history.source.randrange(DAY)


def _renew(history: CustomerHistory, subscription: Row, method: Row, *, fails: bool) -> None:
    mutation = history.mutation
    stumbles = fails or (history.scenario is None and mutation.random.random() < 0.04)
    usual = method.extra
    method.extra = {"declines": "insufficient_funds"} if stumbles else usual
    invoice = subscribing.renew(mutation, subscription, method)
    method.extra = usual
    if stumbles and not fails and mutation.now + 3 * DAY < history.end and invoice.obj["status"] == "open":
        mutation.now += 3 * DAY
        invoicing.pay(mutation, invoice, method)
        mutation.change("subscription", subscription, {"status": "active"}, event="customer.subscription.updated")
        mutation.change("customer", history.customer, {"delinquent": False}, event="customer.updated")
    stories.settle_by_invoice(mutation, subscription, method, history.end)
    charge = invoicing.charge_of(mutation, invoice)
    if charge is not None and history.scenario is None and mutation.random.random() < 0.01:
        now, mutation.now = mutation.now, min(mutation.now + 2 * DAY, history.end - 60)
        returns.refund(mutation, charge, reason="requested_by_customer", metadata={})
        mutation.now = now
