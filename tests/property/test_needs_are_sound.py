"""A box yields the same rows from the part of its tables that its needs keep as from the whole tables.

This proves that pushing filters down is sound: rows that no need keeps are deleted, other columns are NULL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.connector import Need, Op, Predicate
from engine.duck import DuckBinder
from engine.graph import Bound, Scope
from engine.relation import BOOLEAN, INTEGER, MAP, TEXT, TIMESTAMP, Column, Relation
from tests.support.effort import examples

CUSTOMERS = Relation(
    (
        Column("id", TEXT, required=True),
        Column("created", TIMESTAMP, required=True),
        Column("email", TEXT),
        Column("balance", INTEGER),
        Column("delinquent", BOOLEAN),
        Column("metadata", MAP),
        Column("_deleted_at", TIMESTAMP),
    )
)
CHARGES = Relation(
    (
        Column("id", TEXT, required=True),
        Column("created", TIMESTAMP, required=True),
        Column("customer", TEXT),
        Column("status", TEXT),
        Column("amount", INTEGER),
        Column("paid", BOOLEAN),
        Column("settled", TIMESTAMP),
        Column("_deleted_at", TIMESTAMP),
    )
)
TARGETS = Relation((Column("customer_id", TEXT), Column("tier", TEXT), Column("status", TEXT)))
RELATIONS = {"customers": CUSTOMERS, "charges": CHARGES}
SCOPE = Scope((("stripe", RELATIONS), ("schema", {"targets": TARGETS, "customers": TARGETS})))

QUERIES = (
    # filters on one table
    "SELECT id FROM customers WHERE created >= TIMESTAMP '2024-01-02'",
    "SELECT id FROM customers WHERE created > TIMESTAMP '2024-01-02 00:00:00.5'",
    "SELECT id FROM customers WHERE created <= TIMESTAMP '2024-01-02 00:00:00.5'",
    "SELECT id FROM customers WHERE created < '2024-01-03' AND TIMESTAMP '2024-01-01' < created",
    "SELECT id FROM customers WHERE created BETWEEN '2024-01-01T12:00:00Z' AND '2024-01-03T00:00:00+00:00'",
    "SELECT id FROM customers WHERE created NOT BETWEEN '2024-01-02' AND '2024-01-03'",
    "SELECT id FROM customers WHERE created = TIMESTAMP '2024-01-02'",
    "SELECT id FROM customers WHERE created IN ('2024-01-01', '2024-01-03 00:00:00')",
    "SELECT id FROM customers WHERE created <> '2024-01-02'",
    "SELECT id FROM customers WHERE created::DATE = DATE '2024-01-02'",
    "SELECT id FROM customers WHERE date_trunc('month', created) = DATE '2024-01-01'",
    "SELECT id FROM customers WHERE created >= TIMESTAMPTZ '2024-01-02 00:00:00+00'",
    "SELECT id FROM customers WHERE year(created) = 2024 AND created < DATE '2024-01-03' + INTERVAL 1 DAY",
    "SELECT id FROM customers WHERE epoch(created) > 1704153600",
    "SELECT id FROM customers WHERE created < 'infinity'",
    "SELECT id FROM charges WHERE status = 'open' OR status = 'paid'",
    "SELECT id FROM charges WHERE status = 'open' OR amount = 2",
    "SELECT id FROM charges WHERE (status = 'open' AND amount = 2) OR (status = 'paid' AND amount IN (1, 3))",
    "SELECT id FROM charges WHERE status = 'open' OR upper(customer) = 'A'",
    "SELECT id FROM charges WHERE status = 'open' AND (upper(customer) = 'A' OR amount > 2)",
    "SELECT id FROM charges WHERE NOT (status = 'open' OR amount = 1)",
    "SELECT id FROM charges WHERE NOT status = 'open'",
    "SELECT id FROM charges WHERE status IS NULL",
    "SELECT id FROM charges WHERE status IS NOT NULL AND amount IS NULL",
    "SELECT id FROM charges WHERE status IS DISTINCT FROM 'open'",
    "SELECT id FROM charges WHERE status IS NOT DISTINCT FROM 'open'",
    "SELECT id FROM charges WHERE status IN ('open', 'paid') AND status IN ('paid', 'it''s')",
    "SELECT id FROM charges WHERE status IN ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'open', 'i', 'j')",
    "SELECT id FROM charges WHERE status NOT IN ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'open', 'i', 'j')",
    "SELECT id FROM charges WHERE status IN ('open', NULL)",
    "SELECT id FROM charges WHERE status NOT IN ('open', NULL)",
    "SELECT id FROM charges WHERE status = 'it''s' OR status = 'x) OR (1=1'",
    "SELECT id FROM charges WHERE status = 'a\n(status = ''open'')'",
    "SELECT id FROM charges WHERE status LIKE 'o%'",
    "SELECT id FROM charges WHERE status ILIKE 'OPEN'",
    "SELECT id FROM charges WHERE status COLLATE NOCASE = 'OPEN'",
    "SELECT id FROM charges WHERE status > 'open'",
    "SELECT id FROM charges WHERE amount = 2.0 AND amount >= '1'",
    "SELECT id FROM charges WHERE amount = 1.5 OR amount::TEXT = '2'",
    "SELECT id FROM charges WHERE amount + 1 = 3",
    "SELECT id FROM charges WHERE -amount < -1",
    "SELECT id FROM charges WHERE amount BETWEEN 1 AND 2 OR amount = -1",
    "SELECT id FROM charges WHERE paid",
    "SELECT id FROM charges WHERE NOT paid",
    "SELECT id FROM charges WHERE paid IS NOT TRUE",
    "SELECT id FROM charges WHERE paid = true OR status = 'open'",
    "SELECT id FROM charges WHERE coalesce(status, 'open') = 'open'",
    "SELECT id FROM charges WHERE CASE WHEN paid THEN status = 'open' ELSE amount = 1 END",
    "SELECT id FROM charges WHERE settled >= '2024-01-02' AND settled < '2024-01-03 00:00:00.25'",
    "SELECT id FROM charges WHERE settled <= created",
    "SELECT ID FROM Charges WHERE STATUS = 'open'",
    'SELECT "id" FROM "charges" AS "we ird" WHERE "we ird"."status" = \'open\'',
    "SELECT stripe.charges.id FROM stripe.charges WHERE stripe.charges.status = 'open'",
    "SELECT id FROM charges WHERE false",
    "SELECT id FROM charges WHERE 1 = 1 AND status = 'open'",
    # views of deleted rows
    "SELECT id FROM customers_all WHERE _deleted_at IS NOT NULL",
    "SELECT id, _deleted_at FROM customers_all WHERE created >= '2024-01-02'",
    "SELECT count(*) FROM customers_all a WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = a.id)",
    "SELECT a.id FROM customers_all a JOIN customers b ON a.id = b.id WHERE b.email = 'a@x' AND a.balance = 1",
    # joins
    "SELECT c.id, h.id FROM customers c JOIN charges h ON h.customer = c.id WHERE h.status = 'open' AND c.balance = 1",
    "SELECT c.id, h.status FROM customers c LEFT JOIN charges h ON h.customer = c.id AND h.status = 'open'",
    "SELECT c.id, h.status FROM customers c LEFT JOIN charges h ON h.customer = c.id WHERE h.status = 'open'",
    "SELECT c.id FROM customers c LEFT JOIN charges h ON h.customer = c.id WHERE h.status IS NULL OR h.status = 'open'",
    "SELECT c.id FROM customers c LEFT JOIN charges h ON h.customer = c.id WHERE h.id IS NULL",
    "SELECT c.id, h.id FROM customers c RIGHT JOIN charges h ON h.customer = c.id AND c.email = 'a@x'",
    "SELECT c.id, h.id FROM customers c FULL JOIN charges h ON h.customer = c.id AND h.status = 'open'",
    "SELECT c.id, h.id FROM customers c FULL JOIN charges h ON h.customer = c.id WHERE h.status = 'open'",
    "SELECT c.id FROM customers c LEFT JOIN charges h ON h.customer = c.id AND c.email = 'a@x' AND h.amount > 1",
    "SELECT c.id FROM customers c SEMI JOIN charges h ON h.customer = c.id AND h.status = 'open'",
    "SELECT c.id FROM customers c ANTI JOIN charges h ON h.customer = c.id AND h.status = 'open'",
    "SELECT c.id FROM customers c ANTI JOIN (SELECT * FROM charges WHERE paid) h ON h.customer = c.id",
    "SELECT a.id, b.id FROM charges a JOIN charges b ON a.customer = b.customer WHERE a.status = 'open' AND b.paid",
    "SELECT a.id FROM charges a, charges b WHERE a.amount = b.amount AND a.status = 'open' AND b.status = 'paid'",
    "SELECT id, customer FROM charges NATURAL JOIN (SELECT id FROM charges WHERE status = 'open') AS other",
    "SELECT c.id, h.id FROM charges h ASOF JOIN customers c ON h.customer = c.id AND h.created >= c.created",
    "SELECT c.id, h.n FROM customers c, LATERAL (SELECT count(*) n FROM charges x "
    "WHERE x.customer = c.id AND x.status = 'open') h",
    "SELECT c.id, t.tier FROM customers c JOIN targets t ON t.customer_id = c.id WHERE t.status = 'open'",
    "SELECT c.id FROM customers c WHERE c.id IN (SELECT customer_id FROM schema.customers WHERE tier = 'gold')",
    # subqueries
    "SELECT id FROM customers WHERE id IN (SELECT customer FROM charges WHERE status = 'open')",
    "SELECT id FROM customers WHERE id NOT IN (SELECT customer FROM charges WHERE status = 'open')",
    "SELECT id FROM customers WHERE id NOT IN "
    "(SELECT customer FROM charges WHERE status = 'open' AND customer IS NOT NULL)",
    "SELECT id FROM customers c WHERE EXISTS (SELECT 1 FROM charges WHERE customer = c.id AND status = 'open')",
    "SELECT id FROM customers c WHERE NOT EXISTS (SELECT 1 FROM charges WHERE customer = c.id AND amount = 1)",
    "SELECT id, (SELECT max(amount) FROM charges h WHERE h.customer = c.id AND h.paid) FROM customers c",
    "SELECT id, (SELECT count(*) FROM charges WHERE status = 'open') FROM customers WHERE balance = 1",
    "SELECT id FROM charges WHERE amount > (SELECT avg(amount) FROM charges WHERE status = 'open')",
    "SELECT id FROM charges WHERE amount = ANY (SELECT balance FROM customers WHERE email = 'a@x')",
    "SELECT id FROM charges WHERE amount >= ALL (SELECT balance FROM customers WHERE balance IS NOT NULL)",
    "SELECT id FROM (SELECT id, status AS s, paid FROM charges WHERE paid) WHERE s = 'open'",
    # common table expressions
    "WITH x AS (SELECT * FROM charges WHERE paid) SELECT id FROM x WHERE status = 'open' UNION ALL SELECT id FROM x",
    "WITH x AS MATERIALIZED (SELECT * FROM charges WHERE amount > 1) "
    "SELECT id FROM x WHERE status = 'open' UNION ALL SELECT id FROM x WHERE status = 'paid'",
    "WITH x AS NOT MATERIALIZED (SELECT * FROM charges) SELECT a.id FROM x a JOIN x b USING (id) WHERE a.paid",
    "WITH charges AS (SELECT id, 'open' AS status FROM customers) SELECT id FROM charges WHERE status = 'open'",
    "WITH RECURSIVE r AS (SELECT id, customer, 1 AS n FROM charges WHERE status = 'open' UNION ALL "
    "SELECT h.id, h.customer, n + 1 FROM r JOIN charges h ON h.customer = r.customer WHERE n < 3 AND h.paid) "
    "SELECT count(*) FROM r",
    # aggregates and windows
    "SELECT status, count(*), sum(amount) FROM charges GROUP BY status HAVING status = 'open'",
    "SELECT status, count(*) AS n FROM charges GROUP BY ALL HAVING count(*) > 1",
    "SELECT count(*), count(status), count(*) FILTER (WHERE status = 'open') FROM charges",
    "SELECT status, paid, sum(amount) FROM charges WHERE amount > 0 GROUP BY GROUPING SETS ((status), (paid), ())",
    "SELECT status, paid, count(*) FROM charges GROUP BY CUBE (status, paid) HAVING status = 'open'",
    "SELECT status, count(*) FROM charges GROUP BY ROLLUP (status)",
    "SELECT DISTINCT status FROM charges WHERE amount > 1",
    "SELECT DISTINCT ON (customer) customer, amount FROM charges ORDER BY customer, amount, id",
    "SELECT id, rank() OVER (PARTITION BY customer ORDER BY created, id) r FROM charges WHERE status = 'open'",
    "SELECT * FROM (SELECT id, status, row_number() OVER (PARTITION BY customer ORDER BY id) r FROM charges) "
    "WHERE r = 1 AND status = 'open'",
    "SELECT id FROM charges WHERE paid QUALIFY row_number() OVER (PARTITION BY customer ORDER BY id) = 1",
    "SELECT id, sum(amount) OVER (ORDER BY created, id ROWS 1 PRECEDING) FROM charges QUALIFY count(*) OVER () > 1",
    "SELECT max(created) FROM customers WHERE balance = 1",
    "SELECT list(status ORDER BY id), string_agg(customer, ',' ORDER BY id) FROM charges WHERE amount = 1",
    "SELECT arg_max(status, id) FROM charges WHERE paid",
    # set operations, shapes of rows, limits inside
    "SELECT id FROM charges WHERE status = 'open' UNION SELECT id FROM charges WHERE amount = 2",
    "SELECT id FROM charges EXCEPT SELECT id FROM charges WHERE status = 'open'",
    "SELECT id FROM charges WHERE paid INTERSECT SELECT id FROM charges WHERE status = 'open'",
    "SELECT id FROM charges WHERE status = 'open' UNION BY NAME SELECT id, email FROM customers WHERE balance = 1",
    "SELECT * FROM (PIVOT charges ON status IN ('open', 'paid') USING sum(amount) GROUP BY customer)",
    "UNPIVOT (SELECT id, status, customer FROM charges WHERE paid) ON status, customer INTO NAME n VALUE v",
    "SELECT COLUMNS('^(id|st.*)$') FROM charges WHERE paid",
    "SELECT min(COLUMNS(* EXCLUDE (settled, _deleted_at))) FROM charges WHERE status = 'open'",
    "SELECT * EXCLUDE (metadata) FROM customers WHERE email = 'a@x'",
    "SELECT * REPLACE (upper(status) AS status) FROM charges WHERE status = 'open'",
    "SELECT id, metadata['tier'] FROM customers WHERE metadata['tier'] = 'gold'",
    "SELECT id, unnest(map_keys(metadata)) FROM customers WHERE balance = 1",
    "FROM charges SELECT id WHERE status = 'open'",
    "SELECT id FROM charges WHERE status = 'open' ORDER BY amount, id LIMIT 2",
    "SELECT id FROM charges ORDER BY created DESC, id LIMIT 2",
    "SELECT id FROM charges ORDER BY id LIMIT 2 OFFSET 1",
    "SELECT c.id FROM customers c JOIN (SELECT * FROM charges ORDER BY id LIMIT 2) h ON h.customer = c.id",
    "SELECT id FROM (SELECT * FROM charges ORDER BY id LIMIT 3) WHERE status = 'open'",
    "SELECT id, amount AS created FROM charges ORDER BY created DESC, id LIMIT 2",
    "SELECT count(*) FROM charges, (VALUES ('open'), ('paid')) v(s) WHERE status = v.s",
    "SELECT id FROM charges WHERE created <= (SELECT max(created) FROM customers)",
    "SELECT id FROM charges WHERE created < now() AND status = 'open'",
    "SELECT id FROM charges WHERE created >= current_date - 20000",
    "SELECT id FROM charges POSITIONAL JOIN (SELECT 1 AS one)",
    "SELECT row(id, status) FROM charges h WHERE (h.status, h.amount) = ('open', 2)",
    "SELECT h FROM charges h WHERE h.status = 'open'",
    "SELECT status, amount FROM charges WHERE status = 'open' GROUP BY 1, 2",
)

LIMITED = (
    # With LIMIT, any (or the newest) rows suffice: (box, the box without its limit, is a limit pushed down?)
    ("SELECT id FROM charges LIMIT 2", "SELECT id FROM charges", True),
    ("SELECT id, status FROM charges WHERE status = 'open' LIMIT 2", "SELECT id, status FROM charges WHERE status = 'open'", True),  # noqa: E501
    ("SELECT id FROM charges LIMIT 2 OFFSET 1", "SELECT id FROM charges", True),
    ("SELECT id FROM charges WHERE upper(status) = 'OPEN' LIMIT 2", "SELECT id FROM charges WHERE upper(status) = 'OPEN'", False),  # noqa: E501
    ("SELECT id FROM charges WHERE status = 'open' OR upper(customer) = 'A' LIMIT 2", "SELECT id FROM charges WHERE status = 'open' OR upper(customer) = 'A'", False),  # noqa: E501
    ("SELECT DISTINCT status FROM charges LIMIT 2", "SELECT DISTINCT status FROM charges", False),
    ("SELECT status, count(*) FROM charges GROUP BY 1 LIMIT 1", "SELECT status, count(*) FROM charges GROUP BY 1", False),  # noqa: E501
    ("SELECT id, unnest([1, 2]) AS n FROM charges LIMIT 3", "SELECT id, unnest([1, 2]) AS n FROM charges", False),
    ("SELECT c.id FROM customers c JOIN charges h ON h.customer = c.id LIMIT 2", "SELECT c.id FROM customers c JOIN charges h ON h.customer = c.id", False),  # noqa: E501
    ("SELECT id FROM charges WHERE id IN (SELECT id FROM charges WHERE paid) LIMIT 1", "SELECT id FROM charges WHERE paid", False),  # noqa: E501
    ("SELECT id FROM customers_all LIMIT 1", "SELECT id FROM customers_all", False),
    ("SELECT id FROM charges UNION ALL SELECT id FROM charges WHERE paid LIMIT 2", "SELECT id FROM charges", False),
)  # fmt: skip

NEWEST = (
    ("SELECT id, created FROM charges ORDER BY created DESC LIMIT 2", True),
    ("SELECT id, status, created FROM charges WHERE status = 'open' ORDER BY created DESC LIMIT 2", True),
    ("SELECT id, upper(status) AS s FROM charges ORDER BY created DESC LIMIT 2 OFFSET 1", True),
    ("SELECT id, created + INTERVAL 1 DAY AS created FROM charges ORDER BY charges.created DESC LIMIT 2", False),
    ("SELECT id, settled AS created FROM charges ORDER BY created DESC NULLS LAST, id LIMIT 2", False),
    ("SELECT id FROM charges ORDER BY created LIMIT 2", False),
    ("SELECT id FROM charges ORDER BY created DESC, id LIMIT 2", False),
    ("SELECT id, amount FROM charges ORDER BY amount DESC, id LIMIT 2", False),
    ("SELECT id FROM charges WHERE upper(status) = 'OPEN' ORDER BY created DESC LIMIT 1", False),
)

INSTANTS = [
    datetime(2024, 1, day, hour, 0, 0, micro)  # noqa: DTZ001 - DuckDB has naive timestamps
    for day in (1, 2, 3)
    for hour in (0, 12)
    for micro in (0, 250_000)
]
WHOLE = [instant for instant in INSTANTS if instant.microsecond == 0]
SHOWS_LIMITS = not duckdb.__version__.startswith("1.")
"""The plans of DuckDB 1 lack the number of a LIMIT: a limit outside of a TOP_N is not pushed down there."""
STATUSES = ["open", "paid", "it's", "OPEN", "x) OR (1=1", None]


def optional(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    return st.sampled_from([*values, None])


def customers(instants: Sequence[datetime] = INSTANTS) -> st.SearchStrategy[list[tuple[Any, ...]]]:
    row = st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from(instants),
        optional(["a@x", "b@x"]),
        optional([0, 1, 2]),
        optional([True, False]),
        optional([{"tier": "gold"}, {}]),
        optional([INSTANTS[3]]),
    )
    return st.lists(row, max_size=5, unique_by=lambda made: made[0])


def charges(instants: Sequence[datetime] = INSTANTS, *, distinct: bool = False) -> st.SearchStrategy[Any]:
    row = st.tuples(
        st.sampled_from("uvwxyz"),
        st.sampled_from(instants),
        optional("abc"),
        st.sampled_from(STATUSES),
        optional([-1, 0, 1, 2, 3]),
        optional([True, False]),
        optional(INSTANTS),
        optional([None, INSTANTS[3]]),
    )
    keys = (lambda made: made[0], lambda made: made[1]) if distinct else (lambda made: made[0],)
    return st.lists(row, max_size=6, unique_by=keys)


TARGET_ROWS = st.lists(st.tuples(optional("abc"), optional(["gold", "new"]), st.sampled_from(STATUSES)), max_size=4)


@pytest.fixture(scope="module")
def binder() -> Iterator[DuckBinder]:
    made = DuckBinder()
    yield made
    made.close()


@pytest.fixture(scope="module")
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'UTC'; SET threads = 1; CREATE SCHEMA stripe; CREATE SCHEMA schema")
    connection.execute(
        "CREATE TABLE stripe.customers_all (id TEXT, created TIMESTAMP, email TEXT, balance BIGINT, delinquent BOOLEAN,"
        " metadata MAP(VARCHAR, VARCHAR), _deleted_at TIMESTAMP);"
        "CREATE TABLE stripe.charges_all (id TEXT, created TIMESTAMP, customer TEXT, status TEXT, amount BIGINT,"
        " paid BOOLEAN, settled TIMESTAMP, _deleted_at TIMESTAMP);"
        "CREATE VIEW stripe.customers AS SELECT * FROM stripe.customers_all WHERE _deleted_at IS NULL;"
        "CREATE VIEW stripe.charges AS SELECT * FROM stripe.charges_all WHERE _deleted_at IS NULL;"
        "CREATE TABLE schema.targets (customer_id TEXT, tier TEXT, status TEXT);"
        "CREATE TABLE schema.customers (customer_id TEXT, tier TEXT, status TEXT);"
        "SET search_path = 'stripe,schema'"
    )
    yield connection
    connection.close()


Rows = list[tuple[Any, ...]]


def fill(database: duckdb.DuckDBPyConnection, tables: dict[str, Rows]) -> None:
    for name, rows in tables.items():
        database.execute(f"DELETE FROM {name}")
        if rows:
            marks = ", ".join("?" for _ in rows[0])
            database.executemany(f"INSERT INTO {name} VALUES ({marks})", rows)


def holds(predicate: Predicate, row: dict[str, Any]) -> bool:
    """Whether a row passes at a source: timestamps compare in whole seconds, and NULL never passes."""
    value = row[predicate.column]
    if value is None:
        return False
    if isinstance(value, datetime):
        value = value.replace(tzinfo=UTC).timestamp()
    first = predicate.values[0]
    match predicate.op:
        case Op.EQ | Op.IN:
            return value in predicate.values
        case Op.LT:
            return bool(value < first)
        case Op.LE:
            return bool(value <= first)
        case Op.GT:
            return bool(value > first)
        case Op.GE:
            return bool(value >= first)


def kept(rows: Rows, relation: Relation, need: Need | None) -> Rows:
    """The rows of a table that a source returns if it answers exactly the need."""
    if need is None:
        return []
    named = [dict(zip(relation.names, row, strict=True)) for row in rows]
    passing = [row for row in named if any(all(holds(each, row) for each in part) for part in need.where)]
    if need.limit is not None:
        live = [row for row in passing if row["_deleted_at"] is None]
        if need.newest_first:
            live.sort(key=lambda row: row["created"], reverse=True)
        passing = live[: need.limit]
    used = {*need.columns, "_deleted_at"}  # The mirror's own column is always present.
    return [tuple(row[name] if name in used else None for name in relation.names) for row in passing]


def counted(rows: Rows) -> Counter[str]:
    return Counter(repr(row) for row in rows)


def needs_of(binder: DuckBinder, sql: str) -> dict[tuple[str, str], Need]:
    bound = binder.bind(sql, SCOPE)
    assert isinstance(bound, Bound), bound
    return {(read.namespace, read.need.table): read.need for read in bound.reads}


def restricted(needs: dict[tuple[str, str], Need], who: Rows, what: Rows, targets: Rows) -> dict[str, Rows]:
    return {
        "stripe.customers_all": kept(who, CUSTOMERS, needs.get(("stripe", "customers"))),
        "stripe.charges_all": kept(what, CHARGES, needs.get(("stripe", "charges"))),
        "schema.targets": targets if ("schema", "targets") in needs else [],
        "schema.customers": targets if ("schema", "customers") in needs else [],
    }


def whole(who: Rows, what: Rows, targets: Rows) -> dict[str, Rows]:
    return {
        "stripe.customers_all": who,
        "stripe.charges_all": what,
        "schema.targets": targets,
        "schema.customers": targets,
    }


fast = settings(max_examples=examples(8), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("sql", QUERIES)
@fast
@given(who=customers(), what=charges(), targets=TARGET_ROWS)
def test_box_yields_the_same_rows_from_its_needs(
    binder: DuckBinder, database: duckdb.DuckDBPyConnection, sql: str, who: Rows, what: Rows, targets: Rows
) -> None:
    needs = needs_of(binder, sql)
    fill(database, whole(who, what, targets))
    expected = counted(database.execute(sql).fetchall())
    fill(database, restricted(needs, who, what, targets))
    assert counted(database.execute(sql).fetchall()) == expected, needs


@pytest.mark.parametrize(("sql", "without", "taken"), LIMITED)
@fast
@given(who=customers(), what=charges(WHOLE), targets=TARGET_ROWS)
def test_box_with_a_limit_yields_valid_rows_from_its_needs(
    binder: DuckBinder,
    database: duckdb.DuckDBPyConnection,
    sql: str,
    without: str,
    taken: bool,
    who: Rows,
    what: Rows,
    targets: Rows,
) -> None:
    needs = needs_of(binder, sql)
    assert any(need.limit is not None for need in needs.values()) is (taken and SHOWS_LIMITS)
    fill(database, whole(who, what, targets))
    every = counted(database.execute(without).fetchall())
    expected = len(database.execute(sql).fetchall())
    fill(database, restricted(needs, who, what, targets))
    found = database.execute(sql).fetchall()
    assert len(found) == expected, needs
    assert set(counted(found)) <= set(every)


@pytest.mark.parametrize(("sql", "taken"), NEWEST)
@fast
@given(what=charges(WHOLE, distinct=True))
def test_box_with_the_newest_rows_yields_the_same_from_its_needs(
    binder: DuckBinder, database: duckdb.DuckDBPyConnection, sql: str, taken: bool, what: Rows
) -> None:
    needs = needs_of(binder, sql)
    assert any(need.newest_first for need in needs.values()) is taken
    fill(database, whole([], what, []))
    expected = database.execute(sql).fetchall()
    fill(database, restricted(needs, [], what, []))
    assert database.execute(sql).fetchall() == expected, needs
