"""Compares expected rows with actual rows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from math import isclose
from typing import Final

from .pairing import pair
from .types import Difference

Row = Mapping[str, object]

_MOST_SHOWN: Final = 6
"""Maximum number of columns shown of an unexpected row."""


def compare_rows(
    subject: str, expected: Sequence[Row], actual: Sequence[Row], key: Sequence[str] = (), *, identities: int = 0
) -> list[Difference]:
    """The differences between the actual and the expected rows. Only the columns that an expected row names count.

    Rows are paired by the key if all expected rows name it, otherwise in any way that fits. The remaining rows are
    compared with the most similar ones; the first `identities` of a row's names identify it and must be equal.
    """
    if key and all(row.get(name) is not None for row in expected for name in key):
        pairs = _by_key(expected, actual, key)
    else:
        key = ()
        begun = _alike(expected, actual)
        pairs = pair(len(expected), len(actual), lambda one, other: _fits(expected[one], actual[other]), begun)
        _pair_rest(pairs, expected, actual, identities)
    found = []
    named = list(dict.fromkeys([*key, *(name for row in expected for name in row)]))
    for index, row in enumerate(expected):
        if index not in pairs:
            found.append(Difference(subject, "missing", _row(row, list(row))))
            continue
        other = actual[pairs[index]]
        which = _row(row, key) if key else _row(row, [name for name in row if same(row[name], other.get(name))])
        found += [
            Difference(subject, "value", which, name, shown(row[name]), shown(other.get(name)))
            for name in _unlike(row, other)
        ]
    taken = set(pairs.values())
    left = [row for index, row in enumerate(actual) if index not in taken]
    found += [Difference(subject, "surplus", _row(row, named or list(row)[:_MOST_SHOWN])) for row in left]
    return found


def _alike(expected: Sequence[Row], actual: Sequence[Row]) -> dict[int, int]:
    """Pairs of rows that fit, found without comparing all combinations: rows that name most columns come first."""
    by_names: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, row in enumerate(expected):
        by_names[tuple(row)].append(index)
    pairs: dict[int, int] = {}
    left = list(range(len(actual)))
    for names, indexes in sorted(by_names.items(), key=lambda each: -len(each[0])):
        found = _by_key([expected[one] for one in indexes], [actual[other] for other in left], names)
        pairs |= {indexes[one]: left[other] for one, other in found.items()}
        taken = set(pairs.values())
        left = [other for other in left if other not in taken]
    return pairs


def _by_key(expected: Sequence[Row], actual: Sequence[Row], key: Sequence[str]) -> dict[int, int]:
    there: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, row in enumerate(actual):
        there[_identity(row, key)].append(index)
    pairs = {}
    for index, row in enumerate(expected):
        if left := there[_identity(row, key)]:
            pairs[index] = left.pop(0)
    return pairs


def _identity(row: Row, key: Sequence[str]) -> tuple[str, ...]:
    """The key of a row as text. The values of a column have one type, so equal values have equal text."""
    return tuple(shown(row.get(name)) for name in key)


def _pair_rest(pairs: dict[int, int], expected: Sequence[Row], actual: Sequence[Row], identities: int) -> None:
    """Pair the remaining rows with those that have the most values in common, the best first."""
    lonely = [index for index in range(len(expected)) if index not in pairs]
    left = set(range(len(actual))) - set(pairs.values())
    scored = [(-_likeness(expected[one], actual[other], identities), one, other) for one in lonely for other in left]
    for score, one, other in sorted(scored):
        if score < 0 and one not in pairs and other in left:
            pairs[one] = other
            left.discard(other)


def _likeness(expected: Row, actual: Row, identities: int) -> int:
    """The number of values in common; 0 if an identity differs, because it is another row then."""
    score = 0
    for number, name in enumerate(expected):
        alike = same(expected[name], actual.get(name))
        if number < identities:
            if not alike:
                return 0
            score += len(expected)
        score += alike
    return score


def _fits(expected: Row, actual: Row) -> bool:
    return next(_unlike(expected, actual), None) is None


def _unlike(expected: Row, actual: Row) -> Iterator[str]:
    return (name for name, value in expected.items() if not same(value, actual.get(name)))


def same(expected: object, got: object) -> bool:
    """Whether two values are equal; floats may differ by the rounding of a sum in another order."""
    if isinstance(expected, float) and isinstance(got, float):
        return isclose(expected, got, rel_tol=1e-9, abs_tol=1e-12)
    if isinstance(expected, bool) or isinstance(got, bool):
        return expected is got
    return expected == got


def shown(value: object) -> str:
    """A value as a test case writes it."""
    if value is None:
        return "null"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False, default=str)


def _row(row: Row, names: Sequence[str]) -> str:
    return f"{{{', '.join(f'{name}: {shown(row.get(name))}' for name in names)}}}"
