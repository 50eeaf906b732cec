"""The map type of metadata, which only source tables have."""

from __future__ import annotations

import pytest

from engine.relation import INTEGER, JSON, MAP, TEXT, ColumnType, Fit, fit


def test_map_is_no_type_of_the_schema_language() -> None:
    assert str(MAP) == "map"
    with pytest.raises(ValueError, match="expected text, integer"):
        ColumnType.parse("map")


def test_map_fits_only_json_and_map() -> None:
    assert fit(MAP, JSON) is Fit.SAFE
    assert fit(MAP, MAP) is Fit.SAFE
    assert fit(MAP, TEXT) is Fit.NEVER
    assert fit(MAP, INTEGER) is Fit.NEVER
    assert fit(TEXT, MAP) is Fit.NEVER
