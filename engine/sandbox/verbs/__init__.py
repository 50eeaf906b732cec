"""What the API's writes do, kind by kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from . import accounts, billing, customers, money, offers, payments, subscriptions
from .generic import WriteHandler

VERBS: Final[Mapping[tuple[str, str], WriteHandler]] = {
    **accounts.VERBS,
    **billing.VERBS,
    **customers.VERBS,
    **money.VERBS,
    **offers.VERBS,
    **payments.VERBS,
    **subscriptions.VERBS,
}
"""By method and path, as the catalogue writes them. Everything else is done by `writes.GENERIC`."""

__all__ = ["VERBS"]
