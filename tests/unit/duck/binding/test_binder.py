"""The binder: the columns that boxes yield, the rows they read, and their errors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from engine.connector import MIRROR_TABLES, Need, Op, Predicate
from engine.duck import DuckBinder
from engine.graph import BindFailure, Bound, Scope, TableRead
from engine.relation import BOOLEAN, FLOAT, INTEGER, JSON, MAP, TEXT, TIMESTAMP, Column, ColumnType, Kind, Relation

CUSTOMERS = Relation(
    (
        Column("id", TEXT, required=True),
        Column("created", TIMESTAMP, required=True),
        Column("email", TEXT),
        Column("balance", INTEGER),
        Column("livemode", BOOLEAN),
        Column("metadata", MAP),
        Column("address", JSON),
        Column("_deleted_at", TIMESTAMP),
    )
)
PEOPLE = Relation((Column("person", TEXT), Column("score", FLOAT), Column("tags", ColumnType(Kind.LIST, item=TEXT))))
SCOPE = Scope((("stripe_main", {"customers": CUSTOMERS}), ("schema", {"people": PEOPLE, "customers": PEOPLE})))


OLDER = duckdb.__version__.startswith("1.")
"""DuckDB 1 reports less: no number of a LIMIT, and only the start of an error."""


@pytest.fixture(scope="module")
def binder() -> Iterator[DuckBinder]:
    made = DuckBinder()
    yield made
    made.close()


def bound(binder: DuckBinder, sql: str, scope: Scope = SCOPE) -> Bound:
    found = binder.bind(sql, scope)
    assert isinstance(found, Bound), found
    return found


def refused(binder: DuckBinder, sql: str, scope: Scope = SCOPE) -> BindFailure:
    found = binder.bind(sql, scope)
    assert isinstance(found, BindFailure), found
    return found


def need(binder: DuckBinder, sql: str) -> Need:
    (read,) = bound(binder, sql).reads
    return read.need


def test_bound_columns_have_types(binder: DuckBinder) -> None:
    sql = (
        "SELECT id, created, metadata['tier'] AS tier, metadata, address ->> 'city' AS city, balance / 100.0 AS euros, "
        "balance::DECIMAL(18, 2) AS exact, count(*) OVER () AS n, [id] AS ids, {'a': 1} AS part FROM customers"
    )
    assert [(column.name, str(column.type)) for column in bound(binder, sql).relation] == [
        ("id", "text"),
        ("created", "timestamp"),
        ("tier", "text"),
        ("metadata", "map"),
        ("city", "text"),
        ("euros", "float"),
        ("exact", "decimal(18,2)"),
        ("n", "integer"),
        ("ids", "text[]"),
        ("part", "json"),
    ]


@pytest.mark.parametrize(
    ("sql", "namespaces"),
    [
        ("SELECT id FROM customers", {"stripe_main"}),
        ("SELECT id FROM stripe_main.customers", {"stripe_main"}),
        ("SELECT person FROM schema.customers", {"schema"}),
        ("SELECT person FROM people", {"schema"}),
        ("SELECT id FROM customers JOIN people ON person = id", {"stripe_main", "schema"}),
        ("SELECT 'people' AS id", set()),
    ],
)
def test_table_names_are_resolved_in_order_of_namespaces(binder: DuckBinder, sql: str, namespaces: set[str]) -> None:
    assert {read.namespace for read in bound(binder, sql).reads} == namespaces


def test_need_has_columns_and_predicates(binder: DuckBinder) -> None:
    found = need(
        binder,
        "SELECT email FROM customers WHERE created >= TIMESTAMP '2024-01-01' AND livemode "
        "AND (email = 'a' OR email = 'b') AND upper(id) = 'X'",
    )
    assert found.columns == ("id", "created", "email", "livemode")
    assert found.where == (
        (
            Predicate("created", Op.GE, (1_704_067_200,)),
            Predicate("email", Op.IN, ("a", "b")),
            Predicate("livemode", Op.EQ, (True,)),
        ),
    )


@pytest.mark.parametrize(
    ("condition", "predicate"),
    [
        ("created >= '2024-01-01 00:00:00.5'", Predicate("created", Op.GE, (1_704_067_200,))),
        ("created > '2024-01-01 00:00:00.5'", Predicate("created", Op.GE, (1_704_067_200,))),
        ("created < '2024-01-01 00:00:00.5'", Predicate("created", Op.LT, (1_704_067_201,))),
        ("created <= '2024-01-01 00:00:00.5'", Predicate("created", Op.LT, (1_704_067_201,))),
        ("created > '1969-12-31 23:59:59.25'", Predicate("created", Op.GE, (-1,))),
        ("created < '1969-12-31 23:59:59.25'", Predicate("created", Op.LT, (0,))),
        ("created = '2024-01-01'", Predicate("created", Op.EQ, (1_704_067_200,))),
        ("NOT livemode", Predicate("livemode", Op.EQ, (False,))),
        ("balance > -3", Predicate("balance", Op.GT, (-3,))),
        ("'it''s' = email", Predicate("email", Op.EQ, ("it's",))),
    ],
)
def test_comparisons_become_predicates(binder: DuckBinder, condition: str, predicate: Predicate) -> None:
    assert need(binder, f"SELECT id FROM customers WHERE {condition}").where == ((predicate,),)


@pytest.mark.parametrize(
    "condition",
    [
        "created > 'infinity'",
        "created = '2024-01-01 00:00:00.5'",
        "email LIKE 'a%'",
        "email <> 'a'",
        "email IS NULL",
        "email COLLATE NOCASE = 'a'",
        "_deleted_at > '2024-01-01'",
        "created > now() - INTERVAL 1 DAY",
        "created > current_date AND email = 'a'",
        "email = current_user",
        "email = 'a' OR random() > 0.5",
        "balance % 2 = 1",
        "email = 'a' OR id = upper(email)",
    ],
)
def test_unsupported_condition_needs_every_row(binder: DuckBinder, condition: str) -> None:
    assert need(binder, f"SELECT id FROM customers WHERE {condition}").where == ((),)


def test_scans_of_one_table_become_one_need(binder: DuckBinder) -> None:
    sql = "SELECT id FROM customers WHERE email = 'a' UNION ALL SELECT metadata['x'] FROM customers WHERE balance = 1"
    found = need(binder, sql)
    assert found.columns == ("id", "email", "balance", "metadata")
    assert found.where == ((Predicate("balance", Op.EQ, (1,)),), (Predicate("email", Op.EQ, ("a",)),))


def test_table_of_which_no_row_matters_is_still_a_need(binder: DuckBinder) -> None:
    assert need(binder, "SELECT id FROM customers WHERE false") == Need("customers", (), ())


def test_common_table_expression_hides_a_table(binder: DuckBinder) -> None:
    found = bound(binder, "WITH customers AS (SELECT 1 AS id) SELECT id FROM customers")
    assert all(read.need.where == () for read in found.reads)


def test_limit_becomes_part_of_the_need_where_it_is_sound(binder: DuckBinder) -> None:
    newest = need(binder, "SELECT id, email, created FROM customers ORDER BY created DESC LIMIT 20")
    assert (newest.limit, newest.newest_first) == (20, True)
    any_rows = need(binder, "SELECT id FROM customers WHERE email = 'a' LIMIT 5 OFFSET 2")
    assert (any_rows.limit, any_rows.newest_first) == (7, False)
    assert need(binder, "SELECT id FROM customers WHERE lower(email) = 'a' LIMIT 5").limit is None


@pytest.mark.parametrize(
    ("sql", "reason", "marked", "candidates"),
    [
        ("SELECT idd FROM customers", "column", "idd", ("id",)),
        ("SELECT 'é日本🎉', c.emial FROM customers c", "column", "emial", ("email",)),
        ("SELECT id\nFROM costumers", "table", "costumers", ("customers",)),
        ("SELECT x FROM schema.poeple", "table", "poeple", ("people",)),
        ("SELECT uper(id) FROM customers", "function", "uper", ("upper",)),
        ("SELECT id FORM customers WHERE", "syntax", "customers", ("FROM",)),
        ("SELECT id FROM customers; SELECT 2", "statements", "SELECT 2", ()),
        ("  copy customers TO 'x'", "not_select", "copy", ()),
        ("WITH x AS (DELETE FROM customers RETURNING id) SELECT * FROM x", "not_select", "DELETE", ()),
        ("SELECT * FROM read_blob('/etc/passwd')", "not_select", "read_blob('/etc/passwd')", ()),
        ("SELECT * FROM duckdb_settings()", "not_select", "duckdb_settings()", ()),
        ("SELECT id FROM customers WHERE created > 'soon'", "type", "'soon'", ()),
        ("SELECT id FROM customers WHERE created > 5", "type", "created > 5", ()),
    ],
)
def test_bind_failure_has_reason_candidates_and_span(
    binder: DuckBinder, sql: str, reason: str, marked: str, candidates: tuple[str, ...]
) -> None:
    found = refused(binder, sql)
    assert found.reason == reason or OLDER
    assert found.candidates == candidates
    if not OLDER or found.candidates:
        assert found.span is not None
        assert sql[slice(*found.span)] == marked


@pytest.mark.parametrize(
    "sql", ["", "-- nothing", "PIVOT customers ON email USING count(*)", "SELECT $1", "SELECT \ud800", "SELECT ("]
)
def test_text_that_is_not_a_query_is_refused(binder: DuckBinder, sql: str) -> None:
    refused(binder, sql)


def test_deeply_nested_query_does_not_crash_the_binder(binder: DuckBinder) -> None:
    assert isinstance(binder.bind("SELECT " + "(" * 5000 + "1" + ")" * 5000, SCOPE), Bound | BindFailure)
    refused(binder, "SELECT id FROM customers WHERE " + "NOT (" * 3000 + "livemode" + ")" * 3000)
    assert isinstance(binder.bind(" UNION ALL ".join(["SELECT id FROM customers"] * 900), SCOPE), Bound | BindFailure)
    assert need(binder, "SELECT id FROM customers").columns == ("id",)


def test_box_cannot_read_variables_or_files(binder: DuckBinder, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a\n1\n")
    secret_frame = [{"a": 1}]
    assert secret_frame
    assert refused(binder, "SELECT * FROM secret_frame").reason == "table"
    refused(binder, f"SELECT * FROM '{file}'")
    refused(binder, f"SELECT * FROM read_csv('{file}')")


def test_scope_can_redefine_the_tables_of_a_namespace(binder: DuckBinder) -> None:
    small = Scope((("stripe_main", {"customers": Relation((Column("sole", INTEGER),))}),))
    assert bound(binder, "SELECT sole FROM customers", small).relation.names == ("sole",)
    assert refused(binder, "SELECT id FROM customers", small).reason == "column"
    assert bound(binder, "SELECT id FROM customers").relation.names == ("id",)


def test_connections_with_equal_tables_are_bound_by_their_names(binder: DuckBinder) -> None:
    for name in ("stripe_main", "stripe_other", "other"):
        scope = Scope(((name, dict(SCOPE.namespaces[0][1])), SCOPE.namespaces[1]))
        for sql in ("SELECT id FROM customers", f"SELECT id FROM {name}.customers", "SELECT id FROM customers_all"):
            (read,) = bound(binder, sql, scope).reads
            assert (read.namespace, read.need.table) == (name, "customers")


def test_box_cannot_read_a_namespace_outside_its_scope(binder: DuckBinder) -> None:
    other = Scope((("other", SCOPE.namespaces[0][1]),))
    assert bound(binder, "SELECT id FROM other.customers", other).reads[0].namespace == "other"
    found = refused(binder, "SELECT id FROM other.customers")
    assert (found.reason, found.message, found.span) == ("table", "no table `other.customers`", (15, 30))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [("upper(email)", "text"), ("balance / 2", "float"), ("metadata['x'] -- why", "text"), ("1", "integer")],
)
def test_bound_expression_has_one_typed_column(binder: DuckBinder, expression: str, expected: str) -> None:
    found = binder.bind_expression(expression, CUSTOMERS)
    assert isinstance(found, Relation), found
    assert [(column.name, str(column.type)) for column in found] == [("value", expected)]


@pytest.mark.parametrize(
    ("expression", "reason", "marked"),
    [
        ("lower(emial)", "column", "emial"),
        ("uper(email)", "function", "uper"),
        ("'é', id", "statements", None),
        ("id FROM customers --", "syntax", None),
        ("id) FROM customers --", "syntax", ")"),
        ("id; SELECT 1", "statements", None),
        ("max(balance)", "other", "max(balance)"),
        ("sum(balance) OVER ()", "function", None),
        ("balance > 'x' AND", "syntax", None),
        ("", "syntax", None),
    ],
)
def test_invalid_expression_is_refused_with_its_place(
    binder: DuckBinder, expression: str, reason: str, marked: str | None
) -> None:
    found = binder.bind_expression(expression, CUSTOMERS)
    assert isinstance(found, BindFailure), found
    assert found.reason == reason
    if marked is not None and not OLDER:
        assert found.span is not None
        assert expression[slice(*found.span)] == marked
    if found.span is not None:
        assert 0 <= found.span[0] <= found.span[1] <= len(expression)


MIRRORED = Scope((*SCOPE.namespaces, ("changed", {"customers": CUSTOMERS}), ("weir", MIRROR_TABLES)))


@pytest.mark.parametrize("name", ["changed.customers", "changed.customers_all", 'Changed."CUSTOMERS"'])
def test_changed_rows_have_the_need_of_their_table(binder: DuckBinder, name: str) -> None:
    sql = "SELECT email FROM {} WHERE created >= TIMESTAMP '2024-01-01' AND email = 'a'"
    found = bound(binder, sql.format(name), MIRRORED)
    plain = bound(binder, sql.format("customers"), MIRRORED)
    assert (found.changed, plain.changed) == (("customers",), ())
    assert (found.relation, found.reads) == (plain.relation, plain.reads)


def test_limit_is_dropped_from_the_need_of_changed_rows(binder: DuckBinder) -> None:
    for sql in (
        "SELECT id FROM changed.customers LIMIT 3",
        "SELECT id FROM changed.customers ORDER BY created DESC LIMIT 3",
    ):
        (read,) = bound(binder, sql, MIRRORED).reads
        assert read.need.limit is None


def test_changed_rows_and_the_table_are_one_need(binder: DuckBinder) -> None:
    sql = (
        "SELECT c.id FROM customers c WHERE balance = 1 AND email IN "
        "(SELECT email FROM changed.customers WHERE created >= TIMESTAMP '2024-01-01')"
    )
    found = bound(binder, sql, MIRRORED)
    (read,) = found.reads
    assert read.namespace == "stripe_main"
    assert set(read.need.columns) == {"id", "email", "balance", "created"}
    assert len(read.need.where) == 2
    assert found.changed == ("customers",)


def test_changed_rows_of_which_none_matters_are_still_a_need(binder: DuckBinder) -> None:
    found = bound(binder, "SELECT id FROM changed.customers WHERE false", MIRRORED)
    assert found.reads == (TableRead("stripe_main", Need("customers", (), ())),)
    assert found.changed == ("customers",)


def test_mirror_relations_are_not_a_need(binder: DuckBinder) -> None:
    found = bound(
        binder, 'SELECT "table", sum("rows") AS n, max(read_at) AS at FROM weir.coverage GROUP BY 1', MIRRORED
    )
    assert (found.reads, found.changed) == ((), ())
    assert found.relation.names == ("table", "n", "at")
    joined = bound(binder, "SELECT id FROM customers, weir.coverage WHERE email = account LIMIT 3", MIRRORED)
    (read,) = joined.reads
    assert (read.namespace, read.need.table, read.need.limit) == ("stripe_main", "customers", None)


@pytest.mark.parametrize("name", sorted(MIRROR_TABLES))
def test_every_table_of_a_mirror_binds(binder: DuckBinder, name: str) -> None:
    assert bound(binder, f"SELECT * FROM weir.{name}", MIRRORED).relation.names == MIRROR_TABLES[name].names


@pytest.mark.parametrize(
    ("sql", "reason", "near"),
    [
        ("SELECT id FROM coverage", "table", None),
        ("SELECT id FROM changed.custmers", "table", "customers"),
        ("SELECT id FROM changed.people", "table", None),
        ("SELECT acount FROM weir.coverage", "column", "account"),
        ("SELECT emial FROM changed.customers", "column", "email"),
        ("SELECT * FROM weir.applied_events", "table", None),
    ],
)
def test_mirror_relations_need_their_qualified_name(
    binder: DuckBinder, sql: str, reason: str, near: str | None
) -> None:
    failure = refused(binder, sql, MIRRORED)
    assert failure.reason == reason
    assert near is None or near in failure.candidates


def test_alias_with_the_name_of_a_namespace_is_allowed(binder: DuckBinder) -> None:
    sql = "WITH changed AS (SELECT id AS weir FROM customers) SELECT changed.weir FROM changed"
    found = bound(binder, sql, MIRRORED)
    assert (found.changed, [read.need.columns for read in found.reads]) == ((), [("id",)])


def test_changed_rows_without_a_connection_are_refused(binder: DuckBinder) -> None:
    assert refused(binder, "SELECT id FROM changed.customers").reason == "table"
    assert refused(binder, "SELECT * FROM weir.coverage").reason == "table"
