"""A box that selects all columns yields the given rows of a case unchanged."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.app.cases.run import opened_cases, run_cases
from engine.app.running.world import RunOptions
from engine.app.workspace import Workspace
from tests.support.effort import examples

COLUMNS = {
    "id": "text",
    "unit_amount": "integer",
    "unit_amount_decimal": "decimal(38,12)",
    "created": "timestamp",
    "active": "boolean",
    "nickname": "text",
    "metadata": "json",
    "recurring": "json",
    "livemode": "boolean",
}
CONNECTION = "kind: connection\nname: shop\nconnector: stripe\nis_source: true\nclient_secret: {env: NO_SUCH_KEY}\n"

texts = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=12)  # Text that YAML reads unchanged.
numbers = st.integers(-(2**53), 2**53)
moments = st.integers(0, 4 * 10**15).map(lambda each: datetime.fromtimestamp(each / 10**6, UTC))
nested = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
rows = st.fixed_dictionaries(
    {"id": texts.filter(bool)},
    optional={
        "unit_amount": st.none() | st.integers(-(2**63), 2**63 - 1),
        "unit_amount_decimal": st.decimals(-(10**12), 10**12, places=6).map(lambda each: f"{each:f}"),
        "created": moments.map(datetime.isoformat) | st.integers(0, 4_000_000_000),
        "active": st.booleans(),
        "nickname": st.none() | texts,
        "metadata": st.dictionaries(texts, texts, max_size=3),
        "recurring": st.dictionaries(texts, nested, max_size=3),
        "livemode": st.none() | st.booleans(),
    },
)


def written(root: Path, given_rows: list[dict[str, Any]], expected: list[Mapping[str, Any]]) -> Path:
    """A project with an interface that changes nothing, and a case for it. JSON is valid YAML."""
    for folder in ("connections", "schemas", "interfaces"):
        (root / folder).mkdir(exist_ok=True)
    (root / "connections/shop.yaml").write_text(CONNECTION)
    columns = "".join(f"  {name}: {kind if ',' not in kind else json.dumps(kind)}\n" for name, kind in COLUMNS.items())
    (root / "schemas/copies.yaml").write_text(f"kind: schema\nname: copies\ncolumns:\n{columns}key: [id]\n")
    box = f"SELECT {', '.join(COLUMNS)} FROM prices"
    step = f"import: {{connection: shop, into: copies, sql: {json.dumps(box)}}}"
    (root / "interfaces/copies.yaml").write_text(f"kind: interface\nname: copies\nsteps:\n  - {step}\n")
    case = {
        "name": "as they are",
        "given": {"shop": {"prices": given_rows}},
        "expect": {"schema": {"copies": expected}},
    }
    suite = {"kind": "test", "cases": [case]}
    (root / "interfaces/copies.test.yaml").write_text(json.dumps(suite, ensure_ascii=False))
    return root


def differences(root: Path) -> list[str]:
    with opened_cases(Workspace.open(root), ()) as cases:
        (verdict,) = run_cases(cases, RunOptions(False, {}, threading.Event()), lambda _: None)
    return [str(each) for each in verdict.differences]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@settings(max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=st.lists(rows, max_size=12, unique_by=lambda row: row["id"]))
def test_box_yields_the_given_rows_of_a_case(root: Path, given_rows: list[dict[str, Any]]) -> None:
    missing = dict.fromkeys(COLUMNS)
    assert differences(written(root, given_rows, [{**missing, **row} for row in given_rows])) == []


@settings(max_examples=examples(4), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=st.lists(rows, min_size=1, max_size=6, unique_by=lambda row: row["id"]), data=st.data())
def test_case_with_a_different_expectation_fails(
    root: Path, given_rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    expected: list[dict[str, Any]] = [{"nickname": None, **row} for row in given_rows]
    index = data.draw(st.integers(0, len(expected) - 1))
    expected[index] = {**expected[index], "nickname": f"{expected[index]['nickname']}, and more"}
    (said,) = differences(written(root, given_rows, expected))
    assert "nickname: expected" in said
