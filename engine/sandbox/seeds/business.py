"""Eighteen months of a small subscription business, one customer after the other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Final

from ..flows import invoicing, returns, subscribing
from ..objects.operation import Operation
from ..options import EVENT_RETENTION
from ..state.store import Row
from . import people, stories
from .cases import Case
from .names import Country
from .offers import MODULES, Shelf, stock
from .treasury import add_banks, pay_out_weekly

DAY: Final = 86_400
HISTORY: Final = 540 * DAY
EVERY: Final = 60
"""After so many customers the special cases come round again."""


@dataclass(slots=True)
class Life:
    """A customer while its months go by."""

    op: Operation
    shelf: Shelf
    index: int
    end: int
    country: Country
    customer: Row
    case: Case | None

    @property
    def source(self) -> Random:
        """The randomness of this customer alone."""
        return self.op.random


def seed_business(op: Operation, customers: int, seed: int | str) -> None:
    """Fill a store with this many customers and all that follows, up to the operation's moment.

    Each customer has randomness of its own: a bigger business begins with the same customers.
    """
    end = op.now
    recorded = end - EVENT_RETENTION
    base = replace(op, events_from=recorded, random=Random(f"{seed}/offers"), now=end - HISTORY - 20 * DAY)  # noqa: S311
    shelf = stock(base)
    for index in range(customers):
        source = Random(f"{seed}/customer/{index}")  # noqa: S311 - data that can be repeated, not secrets
        _live(replace(base, random=source), shelf, index, end)
    treasury = replace(base, random=Random(f"{seed}/treasury"))  # noqa: S311
    banks = add_banks(treasury)
    pay_out_weekly(treasury, banks, end)


def _live(op: Operation, shelf: Shelf, index: int, end: int) -> None:
    """The whole life of one customer."""
    number = index % EVERY
    case = Case(number) if number in Case._value2member_map_ else None
    country = people.pick_country(op.random)
    op.now = end - _age(op.random, case)
    tier = (
        "enterprise"
        if case in (Case.MANY_ITEMS, Case.MANY_ITEMS_TOO)
        else op.random.choices(("free", "pro", "enterprise"), (2, 6, 2))[0]
    )
    customer = people.add_customer(op, index, country, tier)
    life = Life(op, shelf, index, end, country, customer, case)
    if case is Case.DELETED:
        op.now = end - 5 * DAY
        op.remove("customer", customer, event="customer.deleted")
        return
    if case is Case.LEAD or (case is None and tier == "free"):
        return
    method = people.give_card(op, customer, country)
    if country.vat is not None and customer.obj["business_name"] and index % 3:
        people.give_vat_id(op, customer, country)
    if case is Case.QUOTE:
        stories.quote(op, shelf, customer, country.currency)
    op.now += op.random.randrange(600, 2 * DAY)
    if op.now >= end:
        return
    _subscribe(life, method)


def _age(source: Random, case: Case | None) -> int:
    """How long ago a customer came, in seconds: more come as time goes by."""
    if case is Case.TRIALING:
        return source.randrange(3 * DAY, 8 * DAY)
    if case is not None:
        return source.randrange(150 * DAY, 400 * DAY)
    return 6 * 3600 + int((HISTORY - DAY) * (1 - source.random() ** 0.6))


def _subscribe(life: Life, method: Row) -> None:
    op, shelf, case = life.op, life.shelf, life.case
    yearly = case is Case.YEARLY or (case is None and op.random.random() < 0.15)
    rate = shelf.tax_rates.get(life.country.code)
    trial = 14 * DAY if case in (Case.TRIALING, Case.LONG_TRIAL) or op.random.random() < 0.2 else None
    coupon = shelf.coupons["LAUNCH20"] if op.random.random() < 0.15 else None
    by_invoice = {"collection_method": "send_invoice", "days_until_due": 30} if case is Case.BY_INVOICE else {}
    subscription = subscribing.subscribe(
        op,
        life.customer,
        [(price, quantity, {}) for price, quantity in _picks(life, "yearly" if yearly else "monthly")],
        {
            "default_payment_method": method.id if life.index % 4 == 0 else None,
            "default_tax_rates": [rate.id] if rate else [],
            "metadata": {"source": op.random.choice(("website", "sales"))},
            **by_invoice,
        },
        trial_end=op.now + trial if trial else None,
        coupon=coupon,
    )
    subscribing.start(op, subscription, method)
    stories.settle_by_invoice(op, subscription, method, life.end)
    if case is Case.TWO_SUBSCRIPTIONS:
        extra = shelf.price("support", "monthly", subscription.obj["currency"])
        second = subscribing.subscribe(op, life.customer, [(extra, 1, {})], {"metadata": {"source": "upsell"}})
        subscribing.start(op, second, method)
        _go_on(replace_operation(life), second, method)
    _go_on(life, subscription, method)
    stories.finish(life.op, life.case, life.customer, subscription, life.end)


def replace_operation(life: Life) -> Life:
    """The same life with a clock hand of its own, for a second subscription beside the first."""
    return replace(life, op=replace(life.op))


def _picks(life: Life, interval: str) -> list[tuple[Row, int]]:
    currency, source, shelf = life.country.currency, life.source, life.shelf
    tier = life.customer.obj["metadata"]["tier"]
    if life.case in (Case.MANY_ITEMS, Case.MANY_ITEMS_TOO):
        picks = [(shelf.price("enterprise", interval, currency), source.randrange(12, 90))]
        picks += [(shelf.price(f"module{number}", interval, currency), 1) for number in range(len(MODULES))]
        return [*picks, (shelf.price("support", interval, currency), 1)]
    if tier == "enterprise":
        picks = [(shelf.price("enterprise", interval, currency), source.randrange(5, 70))]
    else:
        picks = [(shelf.price(source.choice(("starter", "team", "team", "business")), interval, currency), 1)]
    for key, chance in (("seats", 0.35), ("support", 0.2), ("audit", 0.15)):
        if source.random() < chance:
            picks.append((shelf.price(key, interval, currency), source.randrange(1, 9) if key == "seats" else 1))
    return picks


def _go_on(life: Life, subscription: Row, method: Row) -> None:
    """Renew until the present, or until the customer leaves."""
    op, end = life.op, life.end
    leaves = _leaves(life)
    while subscription.obj["status"] in ("active", "trialing", "past_due"):
        due = min(item.obj["current_period_end"] for item in subscribing.items_of(op, subscription))
        if leaves is not None and leaves < min(due, end):
            op.now = leaves
            feedback = op.random.choice(("too_expensive", "missing_features", "unused", None))
            subscribing.cancel(op, subscription, {"feedback": feedback})
            return
        if due >= end:
            return
        op.now = due
        stories.before_renewal(op, life.case, life.customer, subscription, end)
        last = subscribing.after(due, "month") >= end
        _renew(life, subscription, method, fails=life.case is Case.PAST_DUE and last)


def _leaves(life: Life) -> int | None:
    if life.case is Case.CANCELED:
        return life.end - 12 * DAY
    if life.case is not None:
        return None
    months = 1 + int(life.source.expovariate(1 / 20))
    return life.op.now + months * 30 * DAY + life.source.randrange(DAY)


def _renew(life: Life, subscription: Row, method: Row, *, fails: bool) -> None:
    op = life.op
    stumbles = fails or (life.case is None and op.random.random() < 0.04)
    usual = method.extra
    method.extra = {"declines": "insufficient_funds"} if stumbles else usual
    invoice = subscribing.renew(op, subscription, method)
    method.extra = usual
    if stumbles and not fails and op.now + 3 * DAY < life.end and invoice.obj["status"] == "open":
        op.now += 3 * DAY
        invoicing.pay(op, invoice, method)
        op.change("subscription", subscription, {"status": "active"}, event="customer.subscription.updated")
        op.change("customer", life.customer, {"delinquent": False}, event="customer.updated")
    stories.settle_by_invoice(op, subscription, method, life.end)
    charge = invoicing.charge_of(op, invoice)
    if charge is not None and life.case is None and op.random.random() < 0.01:
        moment, op.now = op.now, min(op.now + 2 * DAY, life.end - 60)
        returns.refund(op, charge, reason="requested_by_customer", metadata={})
        op.now = moment
