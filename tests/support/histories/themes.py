"""The theme of a history: its own few tables, deeds and faults, so that they affect the same objects repeatedly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from engine.connectors.stripe.catalogue import load_catalogue
from engine.sandbox.admission.faults import REASONS
from tests.support.mirror.business import DAY, UPDATES, USUAL

DEEDS: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = {
    ("coupons", "customers"): (
        "create_customer", "update_customer", "delete_customer", "make_coupon", "update_coupon", "delete_coupon",
        "remake_coupon",
    ),
    ("prices", "products"): ("create_product", "update_product", "delete_product", "create_price", "update_price"),
    ("subscription_items", "subscriptions"): ("subscribe", "change_subscription", "remove_item"),
    ("invoice_items", "invoice_line_items", "invoices"): (
        "draft_invoice", "change_invoice", "change_invoice_item", "remove_line", "owe", "edit_silently",
    ),
    ("balance_transactions", "charges"): ("charge", "change_charge", "refund"),
    ("payment_intents", "refunds"): ("intend", "change_intent", "edit_silently", "refund", "change_refund"),
}  # fmt: skip
"""Groups of tables, and the deeds that change them."""

TABLES: Final = tuple(sorted(table for group in DEEDS for table in group))
LATES: Final = ((0,), (0, 0, 3, 120, 290), (0, 290), (0, 290, 2_000, 3_500))
"""The delays of events in one history, in seconds."""
SKEWS: Final = (0, 0, 45, -45)
VERSIONS: Final = (None, None, "2024-06-20")
"""The API version of the objects in events. If it differs, every changed object must be retrieved."""
LULLS: Final = (0, 1, 1, 60)
"""Seconds between a run and the next change. Events from the second of the run count as late."""
HOUR: Final = 3_600
SHORT: Final = (0, 0, 1, 60, 300, 700)
LONG: Final = (1, 300, HOUR, 2 * HOUR, DAY, 3 * DAY, 8 * DAY, 40 * DAY)
CLOCKS: Final = (0, 45, -2 * HOUR, 2 * HOUR, -3 * DAY)
SLICES: Final = (None, None, 1, 3_000, 30_000)
LISTS: Final = {
    "customer": "/v1/customers", "charge": "/v1/charges", "invoice": "/v1/invoices", "coupon": "/v1/coupons",
    "price": "/v1/prices", "payment_intent": "/v1/payment_intents",
}  # fmt: skip
KINDS: Final = ("error", "error", "rate_limit", "lock", "reset", "truncated", "malformed")
SKIPS: Final = (0, 0, 0, 1)
TIMES: Final = (1, 8, None, None, None)
"""A request is tried six times; None: as often as the run lasts, so that no other request consumes the fault."""
RETRIEVES: Final = "/v1/*/*"
"""The paths of objects retrieved by ID and of their children."""
STATUSES: Final = (500, 502, 503)
NUMBERS: Final = st.integers(0, 40)
FAULT: Final = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "place": NUMBERS,
        "skip": st.sampled_from(SKIPS),
        "times": st.sampled_from(TIMES),
        "status": st.sampled_from(STATUSES),
        "reason": st.sampled_from(REASONS),
    }
)
HOOK: Final = st.tuples(st.sampled_from(sorted(LISTS)), st.integers(1, 2), NUMBERS, NUMBERS)


@dataclass(frozen=True)
class Theme:
    """The theme of one history."""

    tables: tuple[str, ...]
    deeds: tuple[str, ...]
    lates: tuple[int, ...]
    accounts: int
    skew: int
    workers: int
    version: str | None
    lull: int
    grown: bool
    """Whether a mirror exists before the first step, with objects so old that no list returns them by chance."""

    @property
    def updates(self) -> tuple[str, ...]:
        """The deeds that change one object."""
        return tuple(deed for deed in self.deeds if deed in UPDATES) or UPDATES

    def fault(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A fault in a request that this history's runs make."""
        known = load_catalogue().tables
        paths = [RETRIEVES, "*", "/v1/events"]
        for name in self.tables:
            if not known[name].parents:
                path = known[name].path
                paths += [f"{path}/*", path, f"{path}/*", f"{path}*"]  # Retrieves are few.
        times = given["times"]
        if times is None and given["kind"] == "rate_limit":
            times = 8  # A rate limit is retried until it passes.
        return {
            **{name: value for name, value in given.items() if name != "place"},
            "path": paths[given["place"] % len(paths)],
            "times": times,
        }


def theme_of(
    groups: list[tuple[str, ...]], foreign: list[str], lates: tuple[int, ...], accounts: int, skew: int, workers: int,
    version: str | None, lull: int, grown: bool,
) -> Theme:  # fmt: skip
    deeds = {deed for group in groups for deed in DEEDS[group]}
    return Theme(
        tuple(sorted(table for group in groups for table in group)), tuple(sorted({*deeds, *foreign, "wait"})),
        lates, accounts, skew, workers, version, lull, grown,
    )  # fmt: skip


_GROUPS: Final = st.one_of(
    st.lists(st.sampled_from(tuple(DEEDS)), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from(tuple(DEEDS)), min_size=2, max_size=len(DEEDS), unique=True),
)
THEMES: Final = st.builds(
    theme_of,
    _GROUPS,
    st.lists(st.sampled_from(USUAL), max_size=2),
    st.sampled_from(LATES),
    st.sampled_from((0, 0, 1, 2)),
    st.sampled_from(SKEWS),
    st.integers(1, 6),
    st.sampled_from(VERSIONS),
    st.sampled_from(LULLS),
    st.booleans(),
)
