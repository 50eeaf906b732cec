"""What every `Binder` must do. Subclass it in a test module: `class TestMine(BinderSuite)` with `make`."""

from __future__ import annotations

import pytest

from engine.graph import Binder, BindFailure, Bound, Scope
from engine.relation import BOOLEAN, INTEGER, JSON, TEXT, TIMESTAMP, Column, Relation

ORDERS = Relation(
    (
        Column("id", TEXT),
        Column("customer", TEXT),
        Column("amount", INTEGER),
        Column("status", TEXT),
        Column("created", TIMESTAMP),
        Column("paid", BOOLEAN),
        Column("details", JSON),
    )
)
PEOPLE = Relation((Column("id", TEXT), Column("name", TEXT)))
SCOPE = Scope(
    (("shop", {"orders": ORDERS, "people": PEOPLE}), ("schema", {"people": Relation((Column("key", TEXT),))}))
)


class BinderSuite:
    """The rules of the protocol in `engine.graph.types`."""

    def make(self) -> Binder:
        """The binder under test."""
        raise NotImplementedError

    def bound(self, sql: str) -> Bound:
        """What a box yields and reads."""
        result = self.make().bind(sql, SCOPE)
        assert isinstance(result, Bound), result
        return result

    def failure(self, sql: str) -> BindFailure:
        """Why a box does not bind."""
        result = self.make().bind(sql, SCOPE)
        assert isinstance(result, BindFailure), result
        return result

    def test_columns_and_types(self) -> None:
        bound = self.bound("SELECT id, amount, created AS at, paid FROM orders")
        assert [(column.name, column.type) for column in bound.relation] == [
            ("id", TEXT),
            ("amount", INTEGER),
            ("at", TIMESTAMP),
            ("paid", BOOLEAN),
        ]

    def test_bare_names_are_looked_up_in_order(self) -> None:
        assert [column.name for column in self.bound("SELECT * FROM people").relation] == ["id", "name"]
        assert [column.name for column in self.bound("SELECT * FROM schema.people").relation] == ["key"]
        reads = self.bound("SELECT p.name, s.key FROM shop.people p, schema.people s").reads
        assert {read.namespace for read in reads} == {"shop", "schema"}

    def test_a_need_keeps_the_columns_and_the_filter(self) -> None:
        (read,) = self.bound("SELECT id FROM orders WHERE status = 'open' AND created >= TIMESTAMP '2025-01-01'").reads
        assert {"id", "status", "created"} <= set(read.need.columns)
        assert "amount" not in read.need.columns
        (conjunction,) = read.need.where
        assert {(p.column, p.op.value, p.values) for p in conjunction} == {
            ("status", "=", ("open",)),
            ("created", ">=", (1735689600,)),
        }

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT id FROM orders WHERE status = 'open' OR length(id) > 3",
            "SELECT id FROM orders WHERE NOT (status = 'open')",
            "SELECT id FROM orders UNION ALL SELECT id FROM orders WHERE status = 'open'",
            "SELECT count(*) FILTER (status = 'open') FROM orders",
            "SELECT id FROM orders QUALIFY row_number() OVER (PARTITION BY customer ORDER BY created) = 1",
        ],
    )
    def test_what_cannot_be_narrowed_keeps_more(self, sql: str) -> None:
        (read,) = self.bound(sql).reads
        row = {"id": "1", "status": "closed"}
        kept = [all(row.get(p.column) in p.values for p in conjunction) for conjunction in read.need.where]
        assert any(kept), "a row that is not open is needed too"
        assert read.need.limit is None

    def test_a_limit_counts_only_where_it_is_sound(self) -> None:
        assert self.bound("SELECT id FROM orders LIMIT 5").reads[0].need.limit == 5
        assert self.bound("SELECT id FROM orders WHERE length(id) > 3 LIMIT 5").reads[0].need.limit is None
        assert self.bound("SELECT DISTINCT customer FROM orders LIMIT 5").reads[0].need.limit is None

    @pytest.mark.parametrize(
        ("sql", "reason", "marked"),
        [
            ("SELECT emial FROM people", "column", "emial"),
            ("SELECT 'é日', nmae FROM people", "column", "nmae"),
            ("SELECT id FROM poeple", "table", "poeple"),
            ("SELECT upcase(id) FROM people", "function", "upcase"),
        ],
    )
    def test_failures_point_at_the_name(self, sql: str, reason: str, marked: str) -> None:
        failure = self.failure(sql)
        assert failure.reason == reason
        assert failure.span is not None
        assert sql[failure.span[0] : failure.span[1]] == marked

    @pytest.mark.parametrize(
        "sql",
        [
            "SELECT 1; SELECT 2",
            "DELETE FROM people",
            "CREATE TABLE x AS SELECT 1",
            "WITH gone AS (DELETE FROM people RETURNING id) SELECT * FROM gone",
            "COPY people TO 'x.csv'",
            "SET memory_limit = '1TB'",
            "",
        ],
    )
    def test_only_one_select_binds(self, sql: str) -> None:
        assert self.failure(sql).reason in ("statements", "not_select", "syntax")

    def test_an_expression_over_a_row(self) -> None:
        bound = self.make().bind_expression("upper(name)", PEOPLE)
        assert isinstance(bound, Relation)
        assert [column.type for column in bound] == [TEXT]
        assert isinstance(self.make().bind_expression("upper(nmae)", PEOPLE), BindFailure)
        assert isinstance(self.make().bind_expression("(SELECT 1 FROM people)", PEOPLE), BindFailure)
