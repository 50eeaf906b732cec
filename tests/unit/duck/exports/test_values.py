"""Values for a provider: what is sent, what is refused, and what counts as equal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from engine.connector import parameter_path
from engine.duck.exports.rows import DesiredRows
from engine.duck.exports.values import shown_text
from engine.graph import ExportAction, WriteColumn
from tests.support.duck.exported import TABLE, UNITS, Shop, by, column, export, mark_of, type_of

UPDATE = ExportAction.UPDATE


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.fixture(scope="module")
def opened() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("ATTACH ':memory:' AS box")
        yield connection


class Desk:
    """Plans rows and reads the values that objects show."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def row(self, sql: str, *columns: WriteColumn) -> tuple[dict[str, str], str | None]:
        """The parameters planned for the only row of a query, and its problem if it is refused."""
        self._connection.execute(f"CREATE OR REPLACE TABLE box.main.result AS {sql}")
        self._connection.execute("DROP TABLE IF EXISTS desired")
        desired = DesiredRows(self._connection, columns, UNITS)
        desired.build([], key_of_values=True)
        values = ", ".join(f"v{number}" for number in range(len(columns)))
        ((bad, *texts),) = self._connection.execute(f"SELECT bad, {values} FROM desired").fetchall()
        problem = desired.problems[bad - 1] if bad else None
        sent = {each.path: text for each, text in zip(columns, texts, strict=True) if text is not None}
        return sent, f"{problem.subject} {problem.text}" if problem is not None else None

    def shown(self, path: str, value: object) -> str | None:
        """The text that an object shows at a path; `value` is the value of the whole column."""
        head = parameter_path(path)[0]
        kept = TABLE.relation.find(head)
        shown = column(path).shown
        assert kept is not None
        assert shown is not None
        given = json.dumps(value) if isinstance(value, dict | list) else value
        text = shown_text(shown, TABLE.relation, column(path).parameter.kind)
        sql = f"SELECT {text} FROM (SELECT CAST({mark_of(head)} AS {type_of(kept)}) AS {head})"
        ((found,),) = self._connection.execute(sql, [given]).fetchall()
        assert found is None or isinstance(found, str)
        return found


@pytest.fixture
def desk(opened: duckdb.DuckDBPyConnection) -> Desk:
    return Desk(opened)


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("name", "'Ada “%_” \\ '''", "Ada “%_” \\ '"),
        ("name", "12", "12"),
        ("name", "JSON '\"a\"'", "a"),
        ("status", "'new'", "new"),
        ("quantity", "7", "7"),
        ("quantity", "'-7'", "-7"),
        ("quantity", "7.0::DECIMAL(10,2)", "7"),
        ("quantity", "9223372036854775807", "9223372036854775807"),
        ("ratio", "0.25::DOUBLE", "0.25"),
        ("ratio", "3", "3.0"),
        ("rate", "0.10::DECIMAL(10,2)", "0.1"),
        ("rate", "100", "100"),
        ("rate", "0.00::DECIMAL(10,2)", "0"),
        ("rate", "'-0.000000000001'", "-0.000000000001"),
        ("paid", "TRUE", "true"),
        ("paid", "'no'", "false"),
        ("due", "DATE '2026-01-02'", "1767312000"),
        ("due", "TIMESTAMP '1969-12-31 23:59:59'", "-1"),
        ("due", "TIMESTAMPTZ '2026-01-02 01:00:00+01'", "1767312000"),
        ("due", "1767312000", "1767312000"),
        ("tags", "['a', 'b\"c']", '["a","b\\"c"]'),
        ("tags", "JSON '[1, true]'", "[1,true]"),
        ("tags", "[1.5, 2]::DECIMAL(4,1)[]", "[1.5,2.0]"),
        ("address[city]", "'Ulm'", "Ulm"),
        ("metadata[a b.c]", "TRUE", "true"),
        ("metadata[k]", "TIMESTAMP '2026-01-02 03:04:05'", "2026-01-02 03:04:05"),
        ("currency", "'EUR'", "eur"),
    ],
)
def test_value_is_sent_as_its_text(desk: Desk, path: str, value: str, text: str) -> None:
    assert desk.row(f"SELECT {value} AS value", column(path, "value")) == ({path: text}, None)


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("name", "'Ada'", "Ada"),
        ("name", "''", None),
        ("name", "NULL", None),
        ("name", "NULL", ""),
        ("status", "'new'", "new"),
        ("quantity", "'7'", 7),
        ("ratio", "'0.250'", 0.25),
        ("ratio", "1e22", 1e22),
        ("rate", "'0.1000'", "0.1"),
        ("rate", "0", 0),
        ("paid", "'f'", False),
        ("due", "TIMESTAMP '2026-01-02'", "2026-01-02 00:00:00"),
        ("due", "1767312000", "2026-01-02 00:00:00"),
        ("tags", "['a', 'b']", ["a", "b"]),
        ("tags", "JSON '[ \"a\" ]'", ["a"]),
        ("tags", "[]::VARCHAR[]", None),
        ("tags", "NULL::VARCHAR[]", []),
        ("tags", "['txr_1', 'txr_2']", [{"id": "txr_1", "object": "tax_rate"}, {"id": "txr_2", "rate": 1}]),
        ("address[city]", "'Ulm'", {"city": "Ulm", "line1": "x"}),
        ("address[city]", "NULL", {"city": None}),
        ("address[city]", "''", {"city": ""}),
        ("metadata[a]", "'1'", {"a": "1", "b": "2"}),
        ("metadata[a]", "NULL", {"b": "2"}),
        ("metadata[a]", "1", {"a": "1"}),
        ("currency", "'EUR'", "eur"),
        ("amount", "1250", 1250),
    ],
)
def test_sent_value_equals_the_shown_one(desk: Desk, path: str, value: str, shown: object) -> None:
    sent, problem = desk.row(f"SELECT {value} AS value", column(path, "value"))
    assert (sent.get(path), problem) == (desk.shown(path, shown), None)


def test_empty_value_clears_the_existing_one(shop: Shop) -> None:
    there = {"name": "Ada", "status": "new", "metadata": {"k": "1"}, "address": {"city": "Ulm"}, "tags": ["a"]}
    shop.put({"id": "x", **there})
    sources = {"name": "a", "status": "b", "metadata[k]": "a", "address[city]": "b", "tags": "c"}
    sql = "SELECT 'x' AS id, '' AS a, NULL AS b, []::VARCHAR[] AS c"
    columns = [column(path, source) for path, source in sources.items()]
    assert shop.sent(export(UPDATE, [by("id")], *columns), sql) == dict.fromkeys(sources, "")
    columns = [column(path, source, skip_if_empty=True) for path, source in sources.items()]
    assert shop.sent(export(UPDATE, [by("id")], *columns), sql) == {}


@pytest.mark.parametrize(
    ("path", "value", "problem"),
    [
        ("name", "repeat('x', 21)", "has more than 20 characters"),
        ("metadata[k]", "repeat('x', 21)", "has more than 20 characters"),
        ("status", "'neww'", "is none of new, old"),
        ("quantity", "1.5", "is not a whole number"),
        ("quantity", "'1e3'", "is not an integer of 64 bits"),
        ("quantity", "9223372036854775808", "does not fit into 64 bits"),
        ("paid", "'maybe'", "is neither true nor false"),
        ("rate", "1e30::DOUBLE", "does not fit"),
        ("rate", "'0.0000000000001'", "is not a"),
        ("ratio", "'nan'", "is not a number that can be sent"),
        ("ratio", "'infinity'::DOUBLE", "is not a number that can be sent"),
        ("due", "TIMESTAMP '2026-01-02 00:00:00.5'", "has fractions of a second"),
        ("due", "TIMESTAMP 'infinity'", "`due`"),
        ("tags", "['a', NULL]", "is no list of plain values"),
        ("tags", "JSON '{\"a\": 1}'", "is no list of plain values"),
        ("tags", "JSON '[[1]]'", "is no list of plain values"),
        ("tags", "JSON '\"a\"'", "is no list of plain values"),
    ],
)
def test_unusable_value_is_refused_with_its_path(desk: Desk, path: str, value: str, problem: str) -> None:
    _, found = desk.row(f"SELECT {value} AS value", column(path, "value"))
    assert found is not None
    assert problem in found
    assert found.startswith(f"`{path}`")


def test_refused_row_does_not_affect_others(shop: Shop) -> None:
    shop.put({"id": "x"}, {"id": "y"}, {"id": "z"})
    step = export(UPDATE, [by("id")], column("quantity", "value"))
    found = shop.writes(step, "SELECT * FROM (VALUES ('x', '1'), ('y', 'one'), ('z', NULL)) AS t (id, value)")
    assert [(each.object, each.parameters) for each in found.writes] == [("x", (("quantity", "1"),))]
    assert (found.refused, found.unchanged) == (1, 1)
    assert [each.row for each in found.refusals] == [1]


MONEY = [
    ("eur", "12.50::DECIMAL(10,2)", "1250"),
    ("EUR", "12.50::DECIMAL(10,2)", "1250"),
    ("jpy", "1250.00::DECIMAL(10,2)", "1250"),
    ("bhd", "1.25::DECIMAL(10,2)", "1250"),
    ("bhd", "1.234::DECIMAL(10,3)", "1234"),
    ("isk", "12.00::DECIMAL(10,2)", "1200"),
    ("eur", "-0.01::DECIMAL(10,2)", "-1"),
    ("eur", "1.500000000000::DECIMAL(38,12)", "150"),
    ("eur", "99999999999.99::DECIMAL(38,2)", "9999999999999"),
]


@pytest.mark.parametrize(("currency", "value", "minor"), MONEY)
@pytest.mark.parametrize("first", ["amount", "currency"])
def test_decimal_amount_is_converted_from_major_units(
    desk: Desk, currency: str, value: str, minor: str, first: str
) -> None:
    columns = [column("amount", "value", currency="currency"), column("currency", "money")]
    sql = f"SELECT {value} AS value, '{currency}' AS money"
    found = desk.row(sql, *(columns if first == "amount" else columns[::-1]))
    assert found == ({"amount": minor, "currency": currency.lower()}, None)


@pytest.mark.parametrize(
    ("currency", "value", "problem"),
    [
        ("'jpy'", "0.50::DECIMAL(10,2)", "has fractions of the currency's minor unit"),
        ("'eur'", "0.005::DECIMAL(10,3)", "has fractions of the currency's minor unit"),
        ("'bhd'", "0.0005::DECIMAL(10,4)", "has fractions of the currency's minor unit"),
        ("'eur'", "1.000000000001::DECIMAL(38,12)", "has fractions of the currency's minor unit"),
        ("'xyz'", "1::DECIMAL(10,2)", "is money of an unknown currency"),
        ("NULL", "1::DECIMAL(10,2)", "is money of an unknown currency"),
        ("''", "1::DECIMAL(10,2)", "is money of an unknown currency"),
        ("'eur'", "99999999999999999999999999.99::DECIMAL(38,2)", "is too much money"),
        ("'eur'", "99999999999999999999.99::DECIMAL(38,2)", "is too much money"),
        ("'bhd'", "999999999999999999.999::DECIMAL(38,3)", "is too much money"),
    ],
)
def test_amount_that_is_not_exact_in_minor_units_is_refused(
    desk: Desk, currency: str, value: str, problem: str
) -> None:
    columns = column("amount", "value", currency="currency"), column("currency", "money")
    _, found = desk.row(f"SELECT {value} AS value, {currency} AS money", *columns)
    assert found == f"`amount` {problem}"
    assert desk.row(f"SELECT nullif({value}, {value}) AS value, {currency} AS money", *columns)[1] is None


def test_integer_amount_is_sent_as_minor_units(desk: Desk) -> None:
    assert desk.row("SELECT 1250 AS amount", column("amount")) == ({"amount": "1250"}, None)


def test_default_replaces_an_empty_value(desk: Desk) -> None:
    columns = (
        column("name", "value", default="'nobody'"),
        column("quantity", None, default="3"),
        column("paid", None, default="FALSE"),
        column("amount", "price", currency="currency", default="12.5::DECIMAL(38,12)"),
        column("currency", "money", default="'JPY'"),
    )
    sql = "SELECT '' AS value, {} AS price, {} AS money"
    always = {"name": "nobody", "quantity": "3", "paid": "false"}
    found = desk.row(sql.format("15::DECIMAL(4,2)", "NULL"), *columns)
    assert found == ({**always, "amount": "15", "currency": "jpy"}, None)
    found = desk.row(sql.format("NULL::DECIMAL(4,2)", "'eur'"), *columns)
    assert found == ({**always, "amount": "1250", "currency": "eur"}, None)
    fractions = "`amount` has fractions of the currency's minor unit"
    assert desk.row(sql.format("NULL::DECIMAL(4,2)", "NULL"), *columns)[1] == fractions, "half a yen, by default"
    assert desk.row(sql.format("1.5::DECIMAL(4,2)", "NULL"), *columns)[1] == fractions


def test_expression_reads_the_columns_of_its_row(shop: Shop) -> None:
    shop.put({"id": "x"}, {"id": "y", "name": "ADA"})
    step = export(
        UPDATE, [by("id")], column("name", None, expr="upper(first)"), column("metadata[n]", None, expr="n + 1")
    )
    found = shop.writes(step, "SELECT * FROM (VALUES ('x', 'bob', 1), ('y', 'ada', 2)) AS t (id, first, n)")
    assert [dict(each.parameters) for each in found.writes] == [
        {"name": "BOB", "metadata[n]": "2"},
        {"metadata[n]": "3"},
    ]
