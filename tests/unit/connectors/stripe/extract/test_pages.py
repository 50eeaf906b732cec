"""Clean pages stay unchanged, pages with drift are rewritten, and no field is lost."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.connector import ConnectorError, FailureKind
from engine.connectors.stripe.catalogue import load_catalogue
from engine.connectors.stripe.extract.pages import PageReader
from engine.connectors.stripe.extract.rowtypes import row_type

CHARGE: dict[str, Any] = {
    "id": "ch_1",
    "object": "charge",
    "amount": 1200,
    "captured": True,
    "created": 1_700_000_000,
    "currency": "eur",
    "customer": "cus_1",
    "billing_details": {"address": {"city": None}, "name": "Zo\u00eb"},
    "livemode": False,
    "metadata": {"order": "6735"},
    "description": None,
}


def reader(table: str = "charges", livemode: bool | None = False) -> PageReader:
    """A reader for pages of test mode."""
    return PageReader(row_type(table), livemode)


def page(*rows: Any, **more: Any) -> bytes:
    """A list response, indented as Stripe writes it."""
    return json.dumps({"object": "list", "data": list(rows), "has_more": False, **more}, indent=2).encode()


def test_every_table_has_a_row_type() -> None:
    for name in load_catalogue().tables:
        assert PageReader(row_type(name), None).read(b'{"data":[{"id":"x"}],"has_more":true}').rows[0].f_id == "x"


def test_clean_page_is_kept_byte_for_byte() -> None:
    body = page(CHARGE, CHARGE | {"id": "ch_2"}, has_more=True)
    found = reader().read(body)
    assert found.body is body
    assert found.column("id") == ["ch_1", "ch_2"]
    assert (found.envelope.has_more, found.extra, found.drift) == (True, False, {})


def test_unknown_field_goes_to_extra() -> None:
    found = reader().read(page(CHARGE | {"colour": {"hue": 1.50}, "taste": None}, CHARGE | {"id": "ch_2"}))
    first, second = json.loads(found.body)["data"]
    assert first == CHARGE | {"_extra": {"colour": {"hue": 1.5}, "taste": None}}
    assert b"1.5" in found.body
    assert second == CHARGE | {"id": "ch_2"}
    assert found.extra
    assert found.drift == {("colour", "unknown"): 1, ("taste", "unknown"): 1}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("amount", "1200"),
        ("amount", 12.5),
        ("amount", 2**63),
        ("amount", True),
        ("captured", "yes"),
        ("created", 2**40),
        ("currency", 7),
        ("description", {"text": "a"}),
        ("metadata", {"order": 1}),
        ("metadata", []),
        ("livemode", "no"),
    ],
)
def test_mistyped_value_goes_to_extra(field: str, value: Any) -> None:
    found = reader().read(page(CHARGE | {field: value}))
    (row,) = json.loads(found.body)["data"]
    assert row == {name: text for name, text in CHARGE.items() if name != field} | {"_extra": {field: value}}
    assert found.drift == {(field, "mistyped"): 1}


@pytest.mark.parametrize("field", ["billing_details", "refunds"])
def test_json_field_takes_any_value(field: str) -> None:
    for value in ({"a": [1, {"b": None}]}, [], "text", 5, None):
        body = page(CHARGE | {field: value})
        assert reader().read(body).body is body


def test_expanded_reference_is_reduced_to_its_id() -> None:
    for expanded in ({"id": "cus_1", "object": "customer", "email": None}, {"id": "cus_1", "deleted": True}):
        found = reader().read(page(CHARGE | {"customer": expanded}))
        assert json.loads(found.body)["data"] == [CHARGE]
        assert (found.extra, found.drift) == (False, {})


def test_reference_without_id_goes_to_extra() -> None:
    found = reader().read(page(CHARGE | {"customer": {"name": "?"}}))
    assert json.loads(found.body)["data"][0]["_extra"] == {"customer": {"name": "?"}}


def test_rewritten_page_keeps_long_numbers_and_texts() -> None:
    body = page(CHARGE | {"new": 1}).replace(b'"new": 1', b'"new": 12345678901234567890.123456789012345')
    assert b'"new":12345678901234567890.123456789012345' in reader().read(body).body.replace(b": ", b":")


def test_objects_of_another_type_are_refused() -> None:
    with pytest.raises(ConnectorError, match='expected objects of type `charge`, got "payment"') as caught:
        reader().read(page(CHARGE | {"object": "payment"}))
    assert (caught.value.failure.kind, caught.value.failure.table) == (FailureKind.ANSWER, "charges")


def test_objects_of_another_mode_are_refused() -> None:
    with pytest.raises(ConnectorError, match="reads test mode, but live mode objects arrived"):
        reader().read(page(CHARGE, CHARGE | {"livemode": True}))
    with pytest.raises(ConnectorError, match="reads live mode, but test mode objects arrived"):
        reader(livemode=True).read(page(CHARGE))
    assert len(reader(livemode=None).read(page(CHARGE | {"livemode": True})).rows) == 1


def test_objects_without_id_are_refused() -> None:
    for row in ({"object": "charge"}, CHARGE | {"id": None}):
        with pytest.raises(ConnectorError, match="cannot be stored"):
            reader().read(page(row))


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"data": 5}', b'{"data": [5]}', b'{"error": {}}', b'{"data": [{"id": "\xff"}]}']
)
def test_body_that_is_no_list_is_malformed(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        reader().read(body)


def test_invalid_utf8_in_a_json_field_is_refused() -> None:
    body = page(CHARGE).replace(b"Zo\\u00eb", b"Zo\xff")
    with pytest.raises(msgspec.DecodeError, match="UTF-8"):
        reader().read(body)


def test_retrieved_object_is_a_page_of_one_row() -> None:
    assert json.loads(reader().read_object(json.dumps(CHARGE).encode()).body) == {"data": [CHARGE]}
    assert list(reader().read_object(b'{"id": "ch_1", "object": "charge", "deleted": true}').rows) == []


def test_page_without_selected_rows_keeps_the_others() -> None:
    found = reader().read(page(*(CHARGE | {"id": f"ch_{n}"} for n in range(4))))
    rest = reader().without(found, lambda row: row.f_id in ("ch_1", "ch_3"))
    assert [row["id"] for row in json.loads(rest.body)["data"]] == ["ch_0", "ch_2"] == rest.column("id")
    assert reader().without(found, lambda row: False) is found


def test_rows_below_a_parent_have_its_id() -> None:
    person = {"id": "person_1", "object": "person", "account": "acct_1", "created": 1}
    body = page(person)
    assert reader("account_persons").read_below({"account": "acct_1"}, body).body is body
    tax = {"id": "txi_1", "object": "tax_id", "customer": None, "country": "DE"}
    found = reader("customer_tax_ids").read_below({"customer": "cus_1"}, page(tax, has_more=True))
    assert json.loads(found.body)["data"] == [tax | {"customer": "cus_1"}]
    assert found.envelope.has_more


def test_embedded_rows_of_several_parents_have_their_parent_ids() -> None:
    line = {"id": "li_1", "object": "item", "quantity": 1}
    groups = [
        ({"checkout_session": "cs_1"}, json.dumps([line, line | {"id": "li_2"}], indent=1).encode()),
        ({"checkout_session": "cs_2"}, b"[ ]"),
        ({"checkout_session": "cs_3"}, json.dumps([line | {"id": "li_3"}]).encode()),
    ]
    found = reader("checkout_session_line_items").read_children(groups)
    assert [(row["id"], row["checkout_session"]) for row in json.loads(found.body)["data"]] == [
        ("li_1", "cs_1"),
        ("li_2", "cs_1"),
        ("li_3", "cs_3"),
    ]
    with pytest.raises(ConnectorError, match="an embedded list cannot be read"):
        reader("checkout_session_line_items").read_children([({"checkout_session": "cs_1"}, b"[5]")])


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(sorted({*row_type("charges").fields} - {"id", "object", "livemode"})) | st.text(min_size=1)


@given(st.lists(st.dictionaries(NAMES, VALUES, max_size=6), max_size=4))
def test_page_reader_loses_no_field(rows: list[dict[str, Any]]) -> None:
    """Each field stays unchanged in its object or in `_extra`; only expanded references are reduced to their IDs."""
    sent = [{name: value for name, value in row.items() if name != "_extra"} | {"id": "x"} for row in rows]
    found = reader().read(json.dumps({"data": sent}, ensure_ascii=False).encode("utf-8"))
    for before, after in zip(sent, json.loads(found.body)["data"], strict=True):
        back = after.pop("_extra", {}) | after
        for name, value in before.items():
            cut = name in row_type("charges").references and isinstance(value, dict)
            assert back[name] == (value["id"] if cut and isinstance(value.get("id"), str) else value)
        assert back.keys() == before.keys()
