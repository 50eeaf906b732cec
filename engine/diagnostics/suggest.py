"""Did you mean …? Candidates for a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

_FAR = 0.25


def closest(word: str, candidates: Iterable[str], limit: int = 3) -> list[str]:
    """The candidates similar to `word`, best first: at most `limit`, none below the similarity threshold, and none that
    is much less similar than the best."""
    folded = word.casefold().replace("-", "_")
    scored: list[tuple[float, str]] = []
    for candidate in dict.fromkeys(candidates):
        other = candidate.casefold().replace("-", "_")
        ratio = 1.0 if other == folded else SequenceMatcher(None, folded, other).ratio()
        if ratio < 0.6 and len(folded) > 3 and (folded in other or other in folded):
            ratio = 0.6
        if ratio >= 0.6:
            scored.append((-ratio, candidate))
    ordered = sorted(scored)[:limit]
    return [candidate for ratio, candidate in ordered if ratio <= ordered[0][0] + _FAR]


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """A hint such as "did you mean `a` or `b`?", or None."""
    found = closest(word, candidates)
    if not found:
        return None
    names = [f"`{name}`" for name in found]
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
    return f"did you mean {listed}?"
