"""The scenarios that some customers of the seeded business demonstrate."""

from __future__ import annotations

from enum import IntEnum


class Scenario(IntEnum):
    """Scenarios by the customer's number modulo `EVERY`."""

    MANY_ITEMS = 3
    MANY_LINES = 5
    PAST_DUE = 7
    TRIALING = 8
    CANCELED = 9
    LONG_TRIAL = 10
    DISPUTE_LOST = 11
    REFUND = 12
    CREDIT_NOTE = 13
    DRAFT = 14
    VOID = 15
    UNCOLLECTIBLE = 16
    BY_INVOICE = 17
    LEAD = 18
    DELETED = 19
    QUOTE = 20
    DISPUTE_WON = 21
    YEARLY = 22
    TWO_SUBSCRIPTIONS = 23
    PARTIAL_REFUND = 24
    DISPUTE_OPEN = 25
    MANY_ITEMS_TOO = 26
    CANCELS_LATER = 27
    OLD_MANY_LINES = 33
