"""Typed parameters: text of a file or command line becomes a value of the declared type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from engine.graph.literals import sql_identifier, sql_literal
from engine.relation import ColumnType
from engine.relation.parameter_values import parameter_value


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("abc", "text", "abc"),
        (12, "text", "12"),
        ("12", "integer", 12),
        (12, "integer", 12),
        ("1.50", "decimal(10,2)", Decimal("1.50")),
        (2, "decimal(10,2)", Decimal(2)),
        ("1e3", "float", 1000.0),
        ("true", "boolean", True),
        (False, "boolean", False),
        ("2026-01-31", "date", date(2026, 1, 31)),
        ("2026-01-31T12:00:00Z", "timestamp", datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00+02:00", "timestamp", datetime(2026, 1, 31, 10, tzinfo=UTC)),
        ("2026-01-31", "timestamp", datetime(2026, 1, 31, tzinfo=UTC)),
        ("a,b", "text[]", ["a", "b"]),
        ('["a,b"]', "text[]", ["a,b"]),
        ([1, 2], "integer[]", [1, 2]),
        ('{"a": 1}', "json", '{"a": 1}'),
        (None, "integer", None),
    ],
)
def test_parameter_value_is_of_the_declared_type(written: object, kind: str, value: object) -> None:
    assert parameter_value(written, ColumnType.parse(kind)) == value


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("1.5", "integer"),
        (True, "integer"),
        (2**63, "integer"),
        ("1.555", "decimal(10,2)"),
        ("NaN", "decimal(10,2)"),
        ("yes", "boolean"),
        (1, "boolean"),
        ("yesterday", "timestamp"),
        (20260131, "date"),
        ("[1,", "integer[]"),
        ("{", "json"),
        (True, "text"),
    ],
)
def test_parameter_value_of_another_type_is_refused(written: object, kind: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parameter_value(written, ColumnType.parse(kind))


def test_values_without_a_literal_are_refused() -> None:
    with pytest.raises(TypeError):
        sql_literal({"a": 1})
    with pytest.raises(ValueError, match="NUL"):
        sql_literal("a\x00b")
    with pytest.raises(ValueError, match="empty"):
        sql_identifier("")


def test_non_finite_numbers_have_a_literal() -> None:
    assert sql_literal(float("inf")) == "'inf'::DOUBLE"
