"""What a history is about. Each has its own few tables, deeds and troubles, so that the same thing meets them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hypothesis import strategies as st

from engine.connectors.stripe.catalogue import load_catalogue
from engine.web.sandbox.faults import REASONS
from tests.mirror.business import UPDATES, USUAL

DEEDS: Final[Mapping[tuple[str, ...], tuple[str, ...]]] = {
    ("coupons", "customers"): (
        "create_customer", "update_customer", "delete_customer", "make_coupon", "update_coupon", "delete_coupon",
        "remake_coupon",
    ),
    ("prices", "products"): ("create_product", "update_product", "delete_product", "create_price", "update_price"),
    ("subscription_items", "subscriptions"): ("subscribe", "change_subscription"),
    ("invoice_items", "invoice_line_items", "invoices"): (
        "draft_invoice", "change_invoice", "change_invoice_item", "owe", "edit_silently",
    ),
    ("balance_transactions", "charges"): ("charge", "change_charge", "refund"),
    ("payment_intents", "refunds"): ("intend", "change_intent", "edit_silently", "refund", "change_refund"),
}  # fmt: skip
"""Groups of tables, and what happens in them."""

TABLES: Final = tuple(sorted(table for group in DEEDS for table in group))
LATES: Final = ((0,), (0, 0, 3, 120, 290), (0, 290), (0, 290, 2_000, 3_500))
"""By how many seconds events come late, in one history."""
SKEWS: Final = (0, 0, 45, -45)
NUMBERS: Final = st.integers(0, 40)
FAULT: Final = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(("error", "error", "rate_limit", "lock", "reset", "truncated", "malformed")),
        "place": NUMBERS,
        "skip": st.sampled_from((0, 0, 1, 3)),
        "times": st.sampled_from((1, 2, 8, 8)),
        "status": st.sampled_from((500, 502, 503)),
        "reason": st.sampled_from(REASONS),
    }
)


@dataclass(frozen=True)
class Theme:
    """A history's own."""

    tables: tuple[str, ...]
    deeds: tuple[str, ...]
    lates: tuple[int, ...]
    accounts: int
    skew: int
    workers: int

    @property
    def updates(self) -> tuple[str, ...]:
        """The deeds that change one object."""
        return tuple(deed for deed in self.deeds if deed in UPDATES) or UPDATES

    def fault(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A fault of something that this history's runs ask for."""
        known = load_catalogue().tables
        paths = ["*", "/v1/events"]
        for name in self.tables:
            if not known[name].parents:
                paths += [known[name].path, f"{known[name].path}/*", f"{known[name].path}*"]
        return {
            **{name: value for name, value in given.items() if name != "place"},
            "path": paths[given["place"] % len(paths)],
        }


def _theme(
    groups: list[tuple[str, ...]], foreign: list[str], lates: tuple[int, ...], accounts: int, skew: int, workers: int
) -> Theme:
    deeds = {deed for group in groups for deed in DEEDS[group]}
    return Theme(
        tuple(sorted(table for group in groups for table in group)), tuple(sorted({*deeds, *foreign, "wait"})),
        lates, accounts, skew, workers,
    )  # fmt: skip


_GROUPS: Final = st.one_of(
    st.lists(st.sampled_from(tuple(DEEDS)), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from(tuple(DEEDS)), min_size=2, max_size=len(DEEDS), unique=True),
)
THEMES: Final = st.builds(
    _theme,
    _GROUPS,
    st.lists(st.sampled_from(USUAL), max_size=2),
    st.sampled_from(LATES),
    st.sampled_from((0, 0, 1, 2)),
    st.sampled_from(SKEWS),
    st.integers(1, 6),
)
