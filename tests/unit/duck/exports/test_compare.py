"""Comparing rows with a mirror: the object of each row, and the writes that make it match."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from engine.graph import EntityFacts, Export, ExportAction
from engine.plan import PENDING, FieldChange, PlannedWrite, StepWrites
from tests.support.duck.exported import Shop, by, column, export

INSERT, UPDATE, UPSERT, DELETE = (ExportAction(each) for each in ("insert", "update", "upsert", "delete"))
ROWS = "SELECT * FROM (VALUES ('a', 'Ada'), ('b', 'Bob')) AS t (k, name)"
KEY = by("metadata[k]", "k")
COLUMNS = (column("metadata[k]", "k"), column("name"))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def key(*parts: str) -> str:
    return json.dumps(parts, separators=(",", ":"))


def writes_of(writes: StepWrites) -> list[tuple[str, str | None, dict[str, str]]]:
    return [(each.use, each.object, dict(each.parameters)) for each in writes.writes]


@pytest.mark.parametrize("mirror", ["none", "another table", "empty"])
def test_rows_without_mirrored_objects_are_created(shop: Shop, mirror: str) -> None:
    if mirror == "another table":
        with duckdb.connect(str(shop.mirror)) as connection:
            connection.execute("CREATE TABLE others (id VARCHAR)")
    if mirror == "empty":
        shop.put()
    found = shop.writes(export(UPSERT, [KEY], *COLUMNS, on_missing="delete"), ROWS)
    assert writes_of(found) == [
        ("create", None, {"metadata[k]": "a", "name": "Ada"}),
        ("create", None, {"metadata[k]": "b", "name": "Bob"}),
    ]
    assert [each.row for each in found.writes] == [0, 1]
    assert (found.rows, found.unchanged, found.refused, found.managed) == (2, 0, 0, 0)
    assert shop.writes(export(UPDATE, [KEY], *COLUMNS), ROWS).writes == ()
    assert shop.writes(export(DELETE, [KEY]), ROWS).writes == ()
    assert shop.exporter.find(export(UPSERT, [KEY]), shop.mirror, [key("a")]) == {}


def test_column_missing_in_the_mirror_counts_as_empty(shop: Shop) -> None:
    with duckdb.connect(str(shop.mirror)) as connection:
        connection.execute("CREATE TABLE things (id VARCHAR, _deleted_at TIMESTAMP, metadata MAP(VARCHAR, VARCHAR))")
        connection.execute("INSERT INTO things VALUES ('x', NULL, MAP {'k': 'a'})")
    found = shop.writes(export(UPSERT, [KEY], *COLUMNS, column("address[city]", "name")), ROWS)
    assert writes_of(found)[0] == ("update", "x", {"name": "Ada", "address[city]": "Ada"})


@pytest.mark.parametrize(
    ("action", "uses"),
    [(INSERT, ["create"]), (UPDATE, ["update"]), (UPSERT, ["update", "create"]), (DELETE, ["retire"])],
)
def test_each_action_plans_only_its_writes(shop: Shop, action: ExportAction, uses: list[str]) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}, "name": "Old"}, {"id": "y", "metadata": {"k": "other"}})
    found = shop.writes(export(action, [KEY], *(COLUMNS if action is not DELETE else ())), ROWS)
    assert [each.use for each in found.writes] == uses
    assert found.rows == 2
    assert found.unchanged == 2 - len(uses)
    if action is DELETE:
        assert found.writes[0] == PlannedWrite("retire", "things.delete", key("a"), 0, "x", (), (), "x")


def test_update_sends_only_differences_with_old_and_new_values(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}, "name": "Old", "quantity": 1, "status": "new"})
    columns = (*COLUMNS, column("quantity", "n"), column("status", "s"))
    (write,) = shop.writes(export(UPSERT, [KEY], *columns), "SELECT 'a' AS k, 'Ada' AS name, 1 AS n, NULL AS s").writes
    assert write.parameters == (("name", "Ada"), ("status", ""))
    assert write.changes == (FieldChange("name", "Old", "Ada"), FieldChange("status", "new", None))
    assert write.label == "a"


def test_object_that_matches_its_row_is_not_written(shop: Shop) -> None:
    step = export(UPSERT, [KEY], *COLUMNS, on_missing="delete")
    first = shop.writes(step, ROWS)
    made = shop.do(first)
    again = shop.writes(step, ROWS, identities=made)
    assert (again.writes, again.unchanged, again.managed) == ((), 2, 2)
    assert shop.writes(step, ROWS).writes == (), "what the ledger forgot is found by what it shows"


def test_rows_match_objects_by_id(shop: Shop) -> None:
    shop.put({"id": "a", "name": "Old"})
    own = EntityFacts(own_id=True)
    found = shop.writes(export(UPSERT, [by("id", "k")], column("name"), facts=own), ROWS)
    assert writes_of(found) == [("update", "a", {"name": "Ada"}), ("create", None, {"id": "b", "name": "Bob"})]
    mapped = export(
        UPSERT, [by("id", "k")], column("id", "k", immutable=True), column("name"), facts=own, replaces=False
    )
    assert writes_of(shop.writes(mapped, ROWS)) == writes_of(found)


def test_rows_match_objects_by_several_columns(shop: Shop) -> None:
    shop.put(
        {"id": "x", "metadata": {"k": "a"}, "quantity": 1},
        {"id": "y", "metadata": {"k": "a"}, "quantity": 2},
        {"id": "z", "metadata": {"k": "a"}},
    )
    step = export(UPSERT, [KEY, by("quantity", "n")], *COLUMNS, column("quantity", "n"))
    found = shop.writes(step, "SELECT * FROM (VALUES ('a', 2, 'Ada'), ('a', 3, 'Bob')) AS t (k, n, name)")
    assert [(each.use, each.object, each.key) for each in found.writes] == [
        ("update", "y", key("a", "2")),
        ("create", None, key("a", "3")),
    ]
    (refused,) = shop.refusals(step, "SELECT 'a' AS k, NULL::INTEGER AS n, 'x' AS name")
    assert refused == "`k`, `n` has no value to match its object by"


def test_rows_match_objects_by_lookup_key(shop: Shop) -> None:
    shop.put({"id": "x", "lookup_key": "a", "name": "Old"}, {"id": "y", "lookup_key": None, "name": "Ada"})
    found = shop.writes(export(UPSERT, [by("lookup_key", "k")], column("lookup_key", "k"), column("name")), ROWS)
    assert [(each.use, each.object) for each in found.writes] == [("update", "x"), ("create", None)]


@pytest.mark.parametrize("nothing", ["NULL", "''"])
def test_row_without_a_key_is_refused(shop: Shop, nothing: str) -> None:
    shop.put({"id": "x", "metadata": {}}, {"id": "y", "metadata": {"k": ""}})
    sql = (
        f"SELECT {nothing}::VARCHAR AS k, 'Ada' AS name UNION ALL SELECT {nothing}, 'Bob' UNION ALL SELECT 'null', 'C'"
    )
    found = shop.writes(export(UPSERT, [KEY], *COLUMNS), sql)
    assert [each.problem for each in found.refusals] == ["`k` has no value to match its object by"] * 2
    assert [each.key for each in found.writes] == [key("null")], "the word is a value"


def test_rows_with_a_duplicate_key_are_refused(shop: Shop) -> None:
    sql = "SELECT * FROM (VALUES ('a', 'Ada'), ('b', 'Bob'), ('a', 'Eve')) AS t (k, name)"
    found = shop.writes(export(UPSERT, [KEY], *COLUMNS), sql)
    assert [(each.row, each.problem) for each in found.refusals] == [
        (0, "`k` has the same value in another row of the box"),
        (2, "`k` has the same value in another row of the box"),
    ]
    assert [each.key for each in found.writes] == [key("b")]


def test_row_that_matches_several_objects_is_refused(shop: Shop) -> None:
    shop.put(*({"id": name, "metadata": {"k": "a"}} for name in ("x", "y")), {"id": "z", "metadata": {"k": "b"}})
    found = shop.writes(export(UPSERT, [KEY], *COLUMNS), ROWS)
    assert [each.problem for each in found.refusals] == ["`k` matches more than one object"]
    assert [each.object for each in found.writes] == ["z"]
    known = shop.writes(export(UPSERT, [KEY], *COLUMNS), ROWS, identities={key("a"): "y"})
    assert [each.object for each in known.writes] == ["y", "z"], "unless the step has made one of them"
    assert shop.exporter.find(export(UPSERT, [KEY]), shop.mirror, [key("a"), key("b"), key("c")]) == {key("b"): "z"}


def test_rows_that_match_the_same_object_are_refused(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "b"}})
    found = shop.writes(export(UPSERT, [KEY], *COLUMNS), ROWS, identities={key("a"): "x"})
    assert [each.problem for each in found.refusals] == ["`k` matches the object of another row"] * 2
    assert found.writes == ()


def test_ledger_identity_takes_precedence_over_the_match_columns(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "changed by hand"}, "name": "Ada"}, {"id": "y", "metadata": {"k": "a"}})
    comparison = shop.compare(export(UPSERT, [KEY], *COLUMNS), ROWS, identities={key("a"): "x"})
    assert writes_of(comparison.writes)[0] == ("update", "x", {"metadata[k]": "a"})
    assert dict(comparison.found) == {}


def test_found_objects_are_those_missing_in_the_ledger(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}, "name": "Ada"}, {"id": "y", "metadata": {"k": "b"}, "name": "Old"})
    comparison = shop.compare(export(UPSERT, [KEY], *COLUMNS), ROWS, identities={key("b"): "gone"})
    assert dict(comparison.found) == {key("a"): "x", key("b"): "y"}
    assert comparison.writes.unchanged == 1


def test_object_deleted_at_the_provider_is_created_again(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}, "name": "Ada"}, {"id": "y", "metadata": {"k": "b"}, "name": "Bob"})
    shop.gone("x")
    step = export(UPSERT, [KEY], *COLUMNS, on_missing="delete")
    found = shop.writes(step, ROWS, identities={key("a"): "x", key("b"): "y", key("c"): "x"})
    assert [(each.use, each.object, each.key) for each in found.writes] == [("create", None, key("a"))]


def test_active_object_is_preferred_over_an_archived_one(shop: Shop) -> None:
    shop.put(
        {"id": "old", "metadata": {"k": "a"}, "active": False, "name": "Ada"},
        {"id": "new", "metadata": {"k": "a"}, "active": True, "name": "Ada"},
        {"id": "shelved", "metadata": {"k": "b"}, "active": False, "name": "Bob"},
    )
    columns = (*COLUMNS, column("active", None, default="TRUE"))
    found = shop.writes(export(UPSERT, [KEY], *columns, on_missing="archive"), ROWS)
    assert writes_of(found) == [("update", "shelved", {"active": "true"})]
    assert found.unchanged == 1


def test_several_archived_matches_are_not_reactivated(shop: Shop) -> None:
    shop.put(*({"id": name, "metadata": {"k": "a"}, "active": False} for name in ("x", "y")))
    step = export(UPSERT, [KEY], *COLUMNS, column("active", None, default="TRUE"), on_missing="archive")
    assert [each.use for each in shop.writes(step, "SELECT 'a' AS k, 'Ada' AS name").writes] == ["create"]


@pytest.mark.parametrize(
    ("way", "target", "parameters"),
    [
        ("delete", "things.delete", ()),
        ("archive", "things.update", (("active", "false"),)),
        ("void", "things.void", ()),
    ],
)
def test_object_without_a_row_is_retired(
    shop: Shop, way: str, target: str, parameters: tuple[tuple[str, str], ...]
) -> None:
    shop.put(
        {"id": "x", "metadata": {"k": "a"}, "name": "Ada"},
        {"id": "y", "metadata": {"k": "c"}},
        {"id": "hers", "metadata": {"k": "d"}},
        {"id": "shelved", "active": False},
    )
    known = {key("a"): "x", key("c"): "y", key("s"): "shelved", key("n"): "nowhere"}
    found = shop.writes(export(UPSERT, [KEY], *COLUMNS, on_missing=way), ROWS, identities=known)
    assert [each.use for each in found.writes] == ["create", "retire"]
    assert found.writes[1] == PlannedWrite("retire", target, key("c"), None, "y", parameters, (), "y")
    assert found.managed == 4
    kept = shop.writes(export(UPSERT, [KEY], *COLUMNS), ROWS, identities=known)
    assert [each.use for each in kept.writes] == ["create"], "nothing is done away with unless that is asked for"


def test_object_of_a_refused_row_is_not_retired(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}}, {"id": "y", "metadata": {"k": "b"}})
    step = export(UPSERT, [KEY], *COLUMNS, on_missing="delete")
    sql = "SELECT * FROM (VALUES ('a', repeat('x', 99)), ('b', 'Bob'), ('b', 'Eve')) AS t (k, name)"
    found = shop.writes(step, sql, identities={key("a"): "x", key("b"): "y"})
    assert (found.writes, found.refused) == ((), 3)


def test_object_matched_under_a_new_key_is_not_retired(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}, "name": "Ada"})
    step = export(UPSERT, [KEY], *COLUMNS, on_missing="delete")
    found = shop.writes(step, "SELECT 'a' AS k, 'Ada' AS name", identities={key("before"): "x"})
    assert found.writes == ()


@pytest.mark.parametrize("action", [INSERT, UPDATE, UPSERT, DELETE])
def test_row_with_an_unsettled_write_is_refused(shop: Shop, action: ExportAction) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}})
    step = export(action, [KEY], *(COLUMNS if action is not DELETE else ()))
    found = shop.writes(step, "SELECT 'a' AS k, 'Ada' AS name", blocked=frozenset([key("a"), key("z")]))
    assert found.writes == ()
    assert [each.problem for each in found.refusals] == [
        "`k` has an earlier write with an unknown outcome: `weir ops list` shows it"
    ]


def test_object_with_an_unsettled_write_is_not_retired(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}})
    step = export(UPSERT, [KEY], *COLUMNS, on_missing="delete")
    found = shop.writes(
        step, "SELECT 'b' AS k, 'Bob' AS name", identities={key("a"): "x"}, blocked=frozenset([key("a")])
    )
    assert [each.use for each in found.writes] == ["create"]


def priced(**more: object) -> Export:
    amount = column("amount", immutable=True)
    return export(UPSERT, [by("lookup_key", "k")], column("lookup_key", "k"), amount, column("name"), **more)


ARCHIVED = ("things.update", (("active", "false"),))


@pytest.mark.parametrize("handover", [None, ("transfer_lookup_key", "lookup_key")])
def test_changed_immutable_value_replaces_the_object(shop: Shop, handover: tuple[str, str] | None) -> None:
    shop.put({"id": "x", "lookup_key": "a", "amount": 1, "name": "Old"}, {"id": "y", "lookup_key": "b", "amount": 2})
    step = priced(facts=EntityFacts(handover=handover, archives=("active", "false")))
    sql = "SELECT * FROM (VALUES ('a', 9, 'Ada'), ('b', 2, 'Bob'), ('c', 3, 'C')) AS t (k, amount, name)"
    first, second, third = shop.writes(step, sql).writes
    more = {handover[0]: "true"} if handover is not None else {}
    assert (first.use, first.target, first.object, first.retire) == ("replace", "things.create", "x", ARCHIVED)
    assert dict(first.parameters) == {"lookup_key": "a", "amount": "9", "name": "Ada", **more}
    assert first.changes == (FieldChange("amount", "1", "9"), FieldChange("name", "Old", "Ada"))
    assert (second.use, second.object, second.retire) == ("update", "y", None)
    assert (third.use, dict(third.parameters)) == ("create", {"lookup_key": "c", "amount": "3", "name": "C"})


def test_changed_immutable_value_without_replacement_is_refused(shop: Shop) -> None:
    shop.put({"id": "x", "lookup_key": "a", "amount": 1})
    (problem,) = shop.refusals(priced(replaces=False), "SELECT 'a' AS k, 9 AS amount, 'Ada' AS name")
    assert problem == "`amount` cannot be changed: it is accepted only when an object is created"
    assert shop.sent(priced(replaces=False), "SELECT 'a' AS k, 1 AS amount, 'Ada' AS name") == {"name": "Ada"}
    assert shop.sent(priced(), "SELECT 'a' AS k, NULL::INTEGER AS amount, 'Ada' AS name") == {"name": "Ada"}


def test_removal_of_a_value_that_cannot_be_cleared_is_refused(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}, "customer": "cus_1"}, {"id": "y", "metadata": {"k": "b"}})
    step = export(UPSERT, [KEY], *COLUMNS, column("customer", "name"))
    sql = "SELECT * FROM (VALUES ('a', NULL), ('b', NULL)) AS t (k, name)"
    found = shop.writes(step, sql)
    assert [each.problem for each in found.refusals] == ["`customer` cannot be removed from an object that has it"]
    assert found.unchanged == 1


def test_create_without_a_required_value_is_refused(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}})
    needed = column("name")
    needed = column("name", parameter=type(needed.parameter)("name", needed.parameter.kind, required=True, clears=True))
    sql = "SELECT * FROM (VALUES ('a', NULL), ('b', NULL)) AS t (k, name)"
    (problem,) = shop.refusals(export(UPSERT, [KEY], COLUMNS[0], needed), sql)
    assert problem == "`name` has no value and is required to create an object"
    assert shop.refusals(export(UPDATE, [KEY], COLUMNS[0], needed), sql) == []


def test_value_that_objects_do_not_show_is_sent_only_on_create(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}, "name": "Ada"})
    found = shop.writes(export(UPSERT, [KEY], *COLUMNS, column("secret", "name")), ROWS)
    assert writes_of(found) == [("create", None, {"metadata[k]": "b", "name": "Bob", "secret": "Bob"})]


def test_changed_part_is_sent_with_its_sibling_parts(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}, "address": {"city": "Ulm", "line1": "Weg 1", "country": "DE"}})
    city, line = column("address[city]", "city"), column("address[line1]", "line")
    sql = "SELECT 'a' AS k, 'Bonn' AS city, {} AS line"
    only = export(UPSERT, [KEY], COLUMNS[0], city)
    assert shop.sent(only, sql.format("1")) == {"address[city]": "Bonn", "address[line1]": "Weg 1"}
    both = export(UPSERT, [KEY], COLUMNS[0], city, line)
    assert shop.sent(both, sql.format("'Weg 2'")) == {"address[city]": "Bonn", "address[line1]": "Weg 2"}
    assert shop.sent(both, sql.format("''")) == {"address[city]": "Bonn", "address[line1]": ""}
    kept = export(UPSERT, [KEY], COLUMNS[0], city, column("address[line1]", "line", skip_if_empty=True))
    assert shop.sent(kept, sql.format("NULL")) == {"address[city]": "Bonn", "address[line1]": "Weg 1"}
    assert shop.sent(only, "SELECT 'a' AS k, NULL AS city") == {"address[city]": "", "address[line1]": "Weg 1"}


def test_metadata_is_updated_key_by_key(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a", "theirs": "1", "old": "2", "same": "3"}})
    columns = [column(f"metadata[{name}]", name) for name in ("k", "old", "same", "new")]
    sql = "SELECT 'a' AS k, NULL AS old, 3 AS same, TRUE AS new"
    assert shop.sent(export(UPSERT, [KEY], *columns), sql) == {"metadata[old]": "", "metadata[new]": "true"}


def test_references_are_resolved_to_ids(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}, "parent": "p_1"}, {"id": "y", "metadata": {"k": "b"}, "parent": "p_1"})
    step = export(UPSERT, [KEY], COLUMNS[0], column("parent", "up", ref="parents"))
    sql = "SELECT * FROM (VALUES ('a', 1), ('b', NULL), ('c', 2), ('d', 3)) AS t (k, up)"
    known = {"parents": {key("1"): "p_1", key("2"): "p_2"}}
    found = shop.writes(step, sql, references=known)
    assert writes_of(found) == [
        ("update", "y", {"parent": ""}),
        ("create", None, {"metadata[k]": "c", "parent": "p_2"}),
    ]
    assert [each.problem for each in found.refusals] == ["`parent` matches no object of the step `parents`"]
    later = shop.writes(step, sql, references=known, pending={"parents": frozenset([key("3"), key("1")])})
    assert (later.refused, later.unchanged) == (0, 1)
    assert dict(later.writes[-1].parameters)["parent"].startswith(PENDING)


def test_writes_of_one_owner_share_a_lane(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}, "customer": "cus_1"}, {"id": "y", "metadata": {"k": "b"}})
    step = export(
        UPSERT, [KEY], *COLUMNS, column("customer", skip_if_empty=True), facts=EntityFacts(lanes=("customer",))
    )
    sql = "SELECT * FROM (VALUES ('a', 'A', NULL), ('b', 'B', NULL), ('c', 'C', 'cus_2'), ('d', 'D', NULL)) AS t (k, name, customer)"  # noqa: E501
    assert [each.lane for each in shop.writes(step, sql).writes] == ["cus_1", "y", "cus_2", None]


def test_box_columns_may_have_any_names(shop: Shop) -> None:
    shop.put({"id": "x", "metadata": {"k": "a"}, "name": "Ada"})
    sql = (
        "SELECT 'a' AS k, 'Bob' AS \"NAME\", 1 AS id, 2 AS object, 3 AS key, 4 AS verdict, 5 AS row, 6 AS v0, 7 AS bad"
    )
    assert shop.sent(export(UPSERT, [KEY], *COLUMNS), sql) == {"name": "Bob"}


def test_first_refusals_are_listed_and_all_are_counted(shop: Shop) -> None:
    sql = "SELECT range::VARCHAR AS k, repeat('x', 99) AS name FROM range(250)"
    found = shop.writes(export(UPSERT, [KEY], *COLUMNS), sql)
    assert (found.refused, len(found.refusals)) == (250, 100)
    assert [each.row for each in found.refusals] == list(range(100))
