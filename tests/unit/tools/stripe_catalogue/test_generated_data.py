"""The committed catalogue equals what the generator makes of the installed SDK, and covers the whole API."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
import stripe

from engine.connectors.stripe.catalogue import (
    PageStyle,
    SideEffect,
    SyncClass,
    WriteKind,
    load,
    load_catalogue,
    load_params,
)
from tools.stripe_catalogue import __main__ as generator
from tools.stripe_catalogue.compare import differences
from tools.stripe_catalogue.encode import decode, encode


@pytest.mark.long
def test_generator_on_the_installed_sdk_makes_the_committed_data() -> None:
    root = generator.sdk_root()
    assert root is not None
    for path, data in generator.generate(root).items():
        assert differences(decode(path.read_bytes()), decode(data)) == [], f"{path.name} is stale: run `make generated`"
        assert path.read_bytes() == data, f"{path.name} differs in its bytes only: run `make generated`"


@pytest.mark.long
def test_check_of_changed_data_names_each_difference_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = Path(load.__file__).parent
    for name in (load.CATALOGUE_FILE, load.PARAMS_FILE):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    old = json.dumps(decode((tmp_path / load.CATALOGUE_FILE).read_bytes()))
    changed = json.loads(old.replace('"path": "/v1/charges"', '"path": "/v1/chargers"'))
    changed["tables"].pop("coupons")
    tampered = encode(changed)
    (tmp_path / load.CATALOGUE_FILE).write_bytes(tampered)
    monkeypatch.setattr(load, "__file__", str(tmp_path / "load.py"))
    assert generator.main(["--check"]) == 1
    printed = capsys.readouterr().out
    assert "catalogue.json.gz: + tables.coupons" in printed
    assert "~ tables.charges.path: /v1/chargers → /v1/charges" in printed
    assert (tmp_path / load.CATALOGUE_FILE).read_bytes() == tampered
    assert generator.main([]) == 0
    assert (tmp_path / load.CATALOGUE_FILE).read_bytes() == (folder / load.CATALOGUE_FILE).read_bytes()


def test_the_catalogue_has_the_versions_of_the_pinned_sdk() -> None:
    catalogue = load_catalogue()
    assert catalogue.sdk_version == stripe.VERSION
    assert catalogue.api_version == stripe.api_version == "2026-10-28.endive"


def test_every_list_is_a_table_or_unreadable_with_a_reason() -> None:
    catalogue = load_catalogue()
    paths = [table.path for table in catalogue.tables.values()]
    assert len(paths) == len(set(paths)) == 132
    assert not set(paths) & set(catalogue.unreadable)
    everything = [*paths, *catalogue.unreadable]
    assert len(everything) == 138
    assert sum("{" not in path for path in everything) == 114
    assert sum("{" in path for path in everything) == 24
    assert all(len(reason) > 20 for reason in catalogue.unreadable.values())


def test_nineteen_top_level_lists_have_a_required_filter() -> None:
    catalogue = load_catalogue()
    required = [table.path for table in catalogue.tables.values() if any(each.required for each in table.filters)]
    top = {path for path in required if "{" not in path} | {
        path for path in catalogue.unreadable if path in ("/v1/apps/secrets", "/v1/credit_notes/preview/lines")
    }
    assert len(top) == 19


def test_the_catalogue_covers_the_whole_api() -> None:
    catalogue = load_catalogue()
    assert len(catalogue.resources) == 180
    assert len(catalogue.searches) == 7
    assert len(catalogue.retrieves) == 145
    assert len(catalogue.events) == 385
    kinds = Counter(write.kind for write in catalogue.writes)
    assert kinds == {WriteKind.CREATE: 112, WriteKind.UPDATE: 76, WriteKind.DELETE: 28, WriteKind.ACTION: 142}
    assert len({write.key for write in catalogue.writes}) == 358
    assert set(load_params()) == {write.key for write in catalogue.writes}


def test_tables_are_consistent_with_each_other() -> None:
    catalogue = load_catalogue()
    for name, table in catalogue.tables.items():
        assert name == table.name
        assert set(table.resources) <= set(catalogue.resources), name
        assert set(table.events) <= set(catalogue.events), name
        assert all(0 <= place < len(catalogue.writes) for place in table.writes), name
        assert (table.sync is SyncClass.PARENTS) is bool(table.parents), name
        for parent in table.parents:
            owner = catalogue.tables[parent.table]
            kinds = [catalogue.resources[each] for each in owner.resources]
            assert all(kind.find(parent.column) is not None for kind in kinds), name
            assert not owner.parents, f"{name}: the parent is itself read by parents"
        if table.embedded is not None:
            owner = catalogue.tables[table.embedded.table]
            field = catalogue.resources[owner.resource].find(table.embedded.field)
            assert field is not None
            assert field.targets == table.resources
            assert field.includable is table.embedded.expand


def test_embedded_children_have_their_parent_and_field() -> None:
    embedded = {
        name: (table.embedded.table, table.embedded.field, table.embedded.expand)
        for name, table in load_catalogue().tables.items()
        if table.embedded is not None
    }
    assert embedded == {
        "application_fee_refunds": ("application_fees", "refunds", False),
        "checkout_session_line_items": ("checkout_sessions", "line_items", True),
        "credit_note_line_items": ("credit_notes", "lines", False),
        "customer_sources": ("customers", "sources", True),
        "customer_tax_ids": ("customers", "tax_ids", True),
        "invoice_line_items": ("invoices", "lines", False),
        "payment_link_line_items": ("payment_links", "line_items", True),
        "quote_line_items": ("quotes", "line_items", True),
        "radar_value_list_items": ("radar_value_lists", "list_items", False),
        "subscription_items": ("subscriptions", "items", False),
        "transfer_reversals": ("transfers", "reversals", False),
    }


def test_table_names_equal_those_of_sigma() -> None:
    expected = {
        "customers", "charges", "invoices", "invoice_items", "invoice_line_items", "subscription_items",
        "checkout_sessions", "balance_transactions", "credit_note_line_items", "transfer_reversals",
        "application_fee_refunds", "customer_balance_transactions", "issuing_cards", "promotion_codes",
        "early_fraud_warnings", "payment_intents", "subscription_schedules",
    }  # fmt: skip
    assert expected <= set(load_catalogue().tables)


@pytest.mark.parametrize(
    ("table", "page", "created", "ending_before"),
    [
        ("charges", PageStyle.CURSOR, True, True),
        ("account_capabilities", PageStyle.NONE, False, False),
        ("payment_links", PageStyle.CURSOR, False, True),
        ("v2_core_accounts", PageStyle.V2, False, False),
    ],
)
def test_lists_have_their_page_style(table: str, page: PageStyle, created: bool, ending_before: bool) -> None:
    found = load_catalogue().tables[table]
    assert (found.page, found.created is not None, found.newest_first, found.ending_before) == (
        page,
        created,
        created,
        ending_before,
    )


def test_events_have_their_objects() -> None:
    events = load_catalogue().events
    assert events["charge.dispute.created"].objects == ("dispute",)
    assert events["charge.refund.updated"].objects == ("refund",)
    assert events["customer.source.created"].objects == ("account", "bank_account", "card", "source")
    assert events["customer.subscription.deleted"].snapshot
    assert not events["v2.core.account.closed"].snapshot
    assert "customer.deleted" in load_catalogue().tables["customers"].events


def test_updates_list_the_parameters_of_the_create_only() -> None:
    writes = {write.key: write for write in load_catalogue().writes}
    update = writes["post /v1/prices/{price}"]
    assert {"currency", "product", "recurring", "unit_amount"} <= set(update.immutable)
    assert "active" not in update.immutable
    assert writes["post /v1/customers"].immutable == ()


def test_writes_have_their_most_severe_side_effect() -> None:
    effects = {write.key: write.effect for write in load_catalogue().writes}
    assert effects["post /v1/refunds"] is SideEffect.MONEY
    assert effects["post /v1/subscriptions"] is SideEffect.MONEY
    assert effects["delete /v1/customers/{customer}"] is SideEffect.FINAL
    assert effects["post /v1/invoices/{invoice}/send"] is SideEffect.MESSAGE
    assert effects["post /v1/customers/{customer}"] is SideEffect.DATA
    assert effects["post /v1/test_helpers/test_clocks"] is SideEffect.TEST
    assert effects["post /v1/tokens"] is SideEffect.NONE


def test_parameters_are_trees() -> None:
    params = {param.name: param for param in load_params()["post /v1/subscriptions"]}
    assert "expand" not in params
    items = params["items"].item
    assert items is not None
    assert {"price", "quantity", "metadata"} <= {field.name for field in items.fields}
    assert params["metadata"].unset
    price = {param.name: param for param in load_params()["post /v1/prices"]}
    assert price["currency"].required
    assert not price["active"].required


def test_loading_is_cached() -> None:
    assert load_catalogue() is load_catalogue()
