"""The connector's offline part: catalogue and descriptions of tables."""

from __future__ import annotations

import subprocess
import sys

import pytest

from engine.connector import Op
from engine.connectors.stripe import CONNECTOR
from engine.connectors.stripe.catalogue import load_catalogue
from engine.connectors.stripe.describe import describe_table, summarise_tables, unreadable_lists


def test_catalogue_is_that_of_the_pinned_version() -> None:
    known = load_catalogue().api_version
    found = CONNECTOR.catalogue(None)
    assert found is CONNECTOR.catalogue(known)
    assert found.api_version == known
    assert len(found.tables) + len(found.unreadable) == 138
    with pytest.raises(KeyError, match="2020-08-27"):
        CONNECTOR.catalogue("2020-08-27")


def test_source_table_has_key_creation_time_and_filters() -> None:
    charges = CONNECTOR.catalogue(None).tables["charges"]
    assert charges.key == ("id",)
    assert charges.created == "created"
    assert charges.filters["created"] == frozenset(Op)
    assert charges.filters["customer"] == {Op.EQ, Op.IN}
    assert set(charges.filters) == {"created", "customer", "id", "payment_intent"}
    lines = CONNECTOR.catalogue(None).tables["invoice_line_items"]
    assert lines.key == ("invoice", "id")
    assert lines.created is None


def test_filters_are_columns_of_their_table() -> None:
    for table in CONNECTOR.catalogue(None).tables.values():
        assert set(table.filters) <= set(table.relation.names), table.name


def test_catalogue_imports_no_heavy_library() -> None:
    code = (
        "import sys; from engine.connectors.stripe import CONNECTOR; CONNECTOR.catalogue(None); "
        "print(sorted({'stripe', 'aiohttp', 'duckdb', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_table_description_has_path_columns_and_filters() -> None:
    found = describe_table("subscription_items")
    assert found.path == "/v1/subscription_items"
    assert found.reached == "inside `subscriptions` (field `items`), paged on where it has more than ten"
    columns = {column.name: column for column in found.columns}
    assert columns["metadata"].type == "map"
    assert columns["subscription"].filters == ("=", "in")
    assert [column.name for column in found.system_columns][-1] == "_extra"
    assert [write.verb for write in found.writes] == ["create", "delete", "update"]
    assert describe_table("checkout_session_line_items").reached.startswith(
        "inside `checkout_sessions` (field `line_items`, expanded on request)"
    )
    assert describe_table("setup_attempts").reached == "one list for each row of `setup_intents`"
    charge = {column.name: column for column in describe_table("charges").columns}
    assert charge["customer"].references == ("customers",)
    assert charge["refunds"].expand
    assert charge["status"].values == ("failed", "pending", "succeeded")


def test_every_table_can_be_described() -> None:
    summaries = summarise_tables()
    assert [each.name for each in summaries] == sorted(load_catalogue().tables)
    for summary in summaries:
        found = describe_table(summary.name)
        assert len(found.columns) == summary.columns
        assert set(summary.filters) == {column.name for column in found.columns if column.filters}
    assert len(unreadable_lists()) == 6
