"""The seeded account's bank accounts and weekly payouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..flows.payments import settle
from ..flows.returns import arrive, pay_out
from ..objects import Mutation, token
from ..options import DAY
from ..state import Row

WEEK: Final = 7 * DAY
MONDAY: Final = 4 * DAY
"""The first Monday after the epoch, in seconds."""

BANKS: Final[Mapping[str, tuple[str, str]]] = {
    "usd": ("US", "First Harbor Bank"),
    "eur": ("DE", "Hanse Kontor Bank"),
    "gbp": ("GB", "Mill Lane Bank"),
    "jpy": ("JP", "Umeda Bank"),
}


def add_banks(mutation: Mutation) -> dict[str, str]:
    """Add a bank account for each currency. Returns their ids by currency."""
    banks = {}
    for currency, (country, bank) in BANKS.items():
        row = mutation.add(
            "bank_account",
            {
                "account": mutation.store.account,
                "account_holder_name": "Larkspur Analytics",
                "account_holder_type": "company",
                "available_payout_methods": ["standard"],
                "bank_name": bank,
                "country": country,
                "currency": currency,
                "default_for_currency": True,
                "fingerprint": token(mutation.random, 16),
                "last4": f"{mutation.random.randrange(10_000):04d}",
                "metadata": {},
                "routing_number": "110000000" if country == "US" else None,
                "status": "new",
            },
            parent=mutation.store.account,
        )
        banks[currency] = row.id
    return banks


def pay_out_weekly(mutation: Mutation, banks: Mapping[str, str], end: int) -> None:
    """Pay out the available balance of each currency every Monday until `end`."""
    waiting: dict[str, list[Row]] = {}
    for _, _, row in mutation.store.table("balance_transaction").order:
        waiting.setdefault(row.obj["currency"], []).append(row)
    for currency in sorted(waiting):
        rows = sorted(waiting[currency], key=lambda row: (row.obj["available_on"], row.seq))
        _pay_out(mutation, banks[currency], rows, end)
    mutation.now = end
    settle(mutation)


def _pay_out(mutation: Mutation, bank: str, rows: list[Row], end: int) -> None:
    start = rows[0].obj["available_on"]
    mutation.now = start - (start - MONDAY) % WEEK + WEEK + 3 * 3600
    place, covered = 0, list[Row]()
    while mutation.now < end:
        while place < len(rows) and rows[place].obj["available_on"] <= mutation.now:
            covered.append(rows[place])
            place += 1
        amount = sum(row.obj["net"] for row in covered)
        if amount > 0:
            payout = pay_out(mutation, amount, rows[0].obj["currency"], bank, covered)
            covered = []
            monday = mutation.now
            if payout.obj["arrival_date"] <= end:
                mutation.now = payout.obj["arrival_date"]
                arrive(mutation, payout)
            mutation.now = monday
        mutation.now += WEEK
