"""An interrupted first load of parents and children continues from the last commit."""

from __future__ import annotations

import duckdb
import pytest

from engine.testing.dying_staging import Crash, Killed
from tests.integration.traps.conftest import Opener, Pair

FAMILY = ("invoices", "invoice_line_items")
CONFIG = {"max_slice_bytes": 1, "concurrency": 1}
"""A commit for each page, with the children of its rows."""
CUSTOMERS = 80


def begun(opened: Opener, commits: int, *, tables: tuple[str, ...] = FAMILY, after: bool = True) -> Pair:
    """A pair whose first load died at this commit."""
    pair = opened(*tables, customers=CUSTOMERS, config=CONFIG)
    with pytest.raises(Killed):
        pair.sync(crash=Crash(commits, after))
    pair.shop.forget_requests()
    return pair


def kept(pair: Pair, table: str) -> int:
    """The number of rows that no later run has read again."""
    sql = f"SELECT count(*) AS n FROM {table} WHERE _read_at = (SELECT min(_read_at) FROM {table})"
    return int(pair.mirrored.query(sql)[0]["n"])


def counted(pair: Pair, table: str, *, complete: bool) -> int:
    """The number of read rows according to coverage."""
    sql = 'SELECT coalesce(sum("rows"), 0)::BIGINT AS n FROM weir.coverage WHERE "table" = $1 AND complete = $2'
    return int(pair.mirrored.query(sql, [table, complete])[0]["n"])


def whole(pair: Pair) -> list[str]:
    """The tables that coverage claims from the start."""
    rows = pair.mirrored.query('SELECT "table" FROM weir.coverage WHERE complete AND gte IS NULL')
    return sorted({row["table"] for row in rows})


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("commits", [1, 2, 3])
def test_interrupted_load_continues_from_the_last_commit(opened: Opener, commits: int, after: bool) -> None:
    pair = begun(opened, commits, after=after)
    there = {table: len(pair.live(table)) for table in FAMILY}
    assert all(there.values())
    assert whole(pair) == []
    pair.updated()
    pair.demand_truth()
    assert all(0.7 * there[table] <= kept(pair, table) <= there[table] for table in FAMILY), "but for the overlap"
    assert whole(pair) == ["invoice_line_items", "invoices"]
    pair.shop.forget_requests()
    pair.updated()
    assert {each["path"] for each in pair.asked()} == {"/v1/account", "/v1/events", "/v1/invoices"}


def test_interrupted_load_counts_the_rows_of_all_tries(opened: Opener) -> None:
    """The count is right however often a first load is interrupted."""
    pair = begun(opened, 1)
    for commits in (0, 1):
        with pytest.raises(Killed):
            pair.sync(crash=Crash(commits, after=True))
        assert counted(pair, "invoice_line_items", complete=False) >= len(pair.live("invoice_line_items"))
        assert whole(pair) == []
    pair.updated()
    for table in FAMILY:
        again = counted(pair, table, complete=True) - len(pair.live(table))
        assert 0 <= again <= 20, "those of the overlap are listed twice"
    assert counted(pair, "invoice_line_items", complete=False) == 0


def test_interrupted_load_sees_changes_made_meanwhile(opened: Opener) -> None:
    pair = begun(opened, 2)
    loaded = sorted(pair.live("invoices"))
    drafts = [row["id"] for row in pair.live("invoices").values() if row["status"] == "draft"]
    customer = pair.live("invoices")[loaded[0]]["customer"]
    pair.advance(1000)
    made = pair.post("/v1/invoices", customer=customer)["id"]
    pair.post("/v1/invoiceitems", customer=customer, invoice=made, amount=500, currency="usd")
    for each in drafts[:1]:
        pair.shop.act("DELETE", f"/v1/invoices/{each}")
    pair.post(f"/v1/invoices/{loaded[0]}", description="seen")
    pair.advance(1000)
    pair.updated()
    pair.demand_truth()
    assert made in pair.live("invoices")
    assert pair.live("invoices")[loaded[0]]["description"] == "seen"


def test_run_of_another_table_keeps_loaded_children_current(opened: Opener) -> None:
    """Events are read only once: the lines of a changed invoice must be read with it in any run."""
    pair = begun(opened, 2, tables=(*FAMILY, "customers"))
    customer = next(iter(pair.live("invoices").values()))["customer"]
    pair.advance(1000)
    made = pair.post("/v1/invoices", customer=customer)["id"]
    pair.post("/v1/invoiceitems", customer=customer, invoice=made, amount=500, currency="usd")
    pair.advance(1000)
    pair.updated(tables=("customers",))
    pair.post("/v1/invoiceitems", customer=customer, invoice=made, amount=700, currency="usd")
    pair.advance(1000)
    pair.updated(tables=("invoices",))
    pair.advance(1000)
    pair.updated()
    pair.demand_truth()
    assert whole(pair) == ["customers", "invoice_line_items", "invoices"]


def test_children_that_failed_once_are_read_completely(opened: Opener) -> None:
    """The windows of their parents no longer claim them."""
    pair = begun(opened, 1)
    assert pair.mirrored.query("SELECT 1 FROM weir.coverage WHERE len(carried) > 0")
    pair.shop.fault(kind="error", path="/v1/invoices/*/lines", status=403)
    run = pair.sync()
    assert {outcome.id for outcome in run.outcomes if outcome.status == "failed"} == {"shop:invoice_line_items"}
    assert not pair.mirrored.query("SELECT 1 FROM weir.coverage WHERE len(carried) > 0")
    pair.shop.calm()
    pair.advance(1000)
    pair.updated()
    pair.demand_truth()
    assert whole(pair) == ["invoice_line_items", "invoices"]


def test_parents_do_not_carry_children_that_failed(opened: Opener) -> None:
    """The lines fail permanently, and the run starts again without them."""
    pair = opened(*FAMILY, customers=CUSTOMERS, config=CONFIG)
    pair.shop.fault(kind="error", path="/v1/invoices/*/lines", status=503)
    run = pair.sync()
    assert {outcome.id for outcome in run.outcomes if outcome.status == "failed"} == {"shop:invoice_line_items"}
    assert whole(pair) == ["invoices"]
    assert not pair.mirrored.query("SELECT 1 FROM weir.coverage WHERE len(carried) > 0")
    pair.shop.calm()
    pair.updated()
    pair.demand_truth()


def test_full_read_and_read_after_a_gap_start_again(opened: Opener) -> None:
    pair = begun(opened, 2)
    pair.updated(full=True)
    pair.demand_truth()
    pair.advance(40 * 86_400)
    with pytest.raises(Killed):
        pair.sync(crash=Crash(1, after=True))
    assert not pair.mirrored.query("SELECT 1 FROM weir.coverage WHERE len(carried) > 0"), "vanished lines need the end"
    pair.updated()
    pair.demand_truth()


def test_mirror_of_an_earlier_version_is_read(opened: Opener) -> None:
    """Such a file has coverage without carried tables."""
    pair = begun(opened, 2)
    with duckdb.connect(str(pair.mirrored.path)) as file:
        file.execute("ALTER TABLE weir.coverage DROP COLUMN carried")
    pair.updated()
    pair.demand_truth()
