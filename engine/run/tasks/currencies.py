"""Amounts of currencies that `weir.amount` does not know: they have no value, and somebody should hear of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable


def unknown_currency(*met: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """The warning, as one sentence, if any was met. Each of `met` has (currency, amounts)."""
    counts: Counter[str] = Counter()
    for each in met:
        counts.update(dict(each))
    if not counts:
        return ()
    named = ", ".join(f"`{name}` ({count:,})" for name, count in counts.most_common())
    return (f"`weir.amount` does not know the currency {named}: these amounts are NULL (W601)",)
