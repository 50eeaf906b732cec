"""Comparing expected with actual rows: missing and surplus rows, and values that differ."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cases import compare_rows
from engine.cases.pairing import pair
from engine.cases.rows import same, shown


def differences(*arguments: object, **options: int) -> list[str]:
    return [str(each) for each in compare_rows("t", *arguments, **options)]  # type: ignore[arg-type]


def test_equal_rows_in_any_order_have_no_differences() -> None:
    actual = [{"id": "b", "n": 2, "more": "x"}, {"id": "a", "n": 1, "more": "y"}]
    assert differences([{"id": "a", "n": 1}, {"n": 2}], actual) == []
    assert differences([{"id": "a", "n": 1}, {"id": "b"}], actual, ("id",)) == []
    assert differences([], []) == []


def test_different_value_is_reported_with_the_key_of_its_row() -> None:
    assert differences([{"id": "a", "n": 1, "name": None}], [{"id": "a", "n": 2, "name": "x"}], ("id",)) == [
        't: {id: "a"}: n: expected 1, got 2',
        't: {id: "a"}: name: expected null, got "x"',
    ]


def test_missing_and_surplus_rows_are_reported_whole() -> None:
    assert differences([{"id": "a", "n": 1}], [{"id": "b", "n": 1, "more": 3}], ("id",)) == [
        't: missing {id: "a", n: 1}',
        't: unexpected {id: "b", n: 1}',
    ]
    assert differences([], [{"id": "b", "n": 1}]) == ['t: unexpected {id: "b", n: 1}']
    assert differences([], [{"id": "b", "n": 1}], ("id",)) == ['t: unexpected {id: "b"}']
    assert differences([{"id": "a"}, {"id": "a"}], [{"id": "a"}], ("id",)) == ['t: missing {id: "a"}']


def test_row_without_a_key_is_compared_with_the_most_similar_row() -> None:
    assert differences([{"a": 1, "b": 2, "c": 3}], [{"a": 9, "b": 9, "c": 3}, {"a": 1, "b": 2, "c": 4}]) == [
        "t: {a: 1, b: 2}: c: expected 3, got 4",
        "t: unexpected {a: 9, b: 9, c: 3}",
    ]
    assert differences([{"a": 1}], [{"a": 2}]) == ["t: missing {a: 1}", "t: unexpected {a: 2}"]


def test_row_is_compared_only_with_a_row_of_its_identity() -> None:
    expected = [{"object": "cus_1", "do": "update", "set n": "1"}]
    other = [{"object": "cus_2", "do": "update", "set n": "1"}, {"object": "cus_1", "do": "create", "set n": "2"}]
    assert differences(expected, other, identities=1) == [
        't: {object: "cus_1"}: do: expected "update", got "create"',
        't: {object: "cus_1"}: set n: expected "1", got "2"',
        't: unexpected {object: "cus_2", do: "update", set n: "1"}',
    ]


def test_row_with_few_columns_leaves_exact_matches_to_other_rows() -> None:
    actual = [{"a": 1, "b": 1}, {"a": 1, "b": 2}]
    assert differences([{"a": 1}, {"a": 1, "b": 1}], actual) == []
    assert differences([{}, {"b": 2}], actual) == []


@given(st.lists(st.lists(st.booleans(), min_size=4, max_size=4), max_size=4))
def test_pair_finds_as_many_pairs_as_possible(fits: list[list[bool]]) -> None:
    pairs = pair(len(fits), 4, lambda one, other: fits[one][other])
    assert len(set(pairs.values())) == len(pairs)
    assert all(fits[one][other] for one, other in pairs.items())
    most = max(sum(fits[one][other] for one, other in enumerate(each[: len(fits)])) for each in permutations(range(4)))
    assert len(pairs) == most


@pytest.mark.parametrize(
    ("expected", "got", "alike"),
    [
        (0.1 + 0.2, 0.3, True),
        (0.1, 0.1001, False),
        (Decimal("8.00"), Decimal("8.000"), True),
        (1, Decimal(1), True),
        (True, 1, False),
        (None, "", False),
        ({"a": [1]}, {"a": [1]}, True),
    ],
)
def test_same_compares_expected_and_actual_values(expected: object, got: object, alike: bool) -> None:
    assert same(expected, got) is alike


def test_values_are_shown_as_written_in_a_case() -> None:
    timestamp = datetime(2026, 1, 1, 12, 30)  # noqa: DTZ001 - as DuckDB returns timestamps
    values = [None, Decimal("1E+2"), timestamp, date(2026, 1, 1), "a", True, {"a": 1}]
    assert list(map(shown, values)) == [
        "null",
        "100",
        "2026-01-01T12:30:00Z",
        "2026-01-01",
        '"a"',
        "true",
        '{"a": 1}',
    ]
