"""`weir run` killed before and after everything that it commits: the next run ends with exactly the right tables."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from tests.support.mirror.business import Business
from tests.support.mirror.comparison import demand_same
from tests.support.mirror.mirrored import staged_rows
from tests.support.mirror.shop import ServedShops, Shop
from tests.support.processes.dying import POINTS
from tests.support.processes.forks import Nursery

TABLES: Final = ("charges", "customers", "invoice_line_items", "invoices", "payment_intents")
CONNECTION: Final = """
kind: connection
name: shop
connector: stripe
is_source: true
client_secret: {{env: STRIPE_SECRET_KEY}}
base_url: {url}
limits: {{requests_per_second: 5000}}
"""
INTERFACE: Final = """
kind: interface
name: copies
steps:
  - name: lines
    import:
      connection: shop
      sql: |
        SELECT lines.id, lines.amount, customers.email FROM invoice_line_items AS lines
        JOIN invoices ON invoices.id = lines.invoice JOIN customers ON customers.id = invoices.customer
      into: lines
      action: replace
      map: {id: id, amount: amount, email: email}
  - name: payments
    import:
      connection: shop
      sql: SELECT charges.id, charges.amount, intents.status AS email FROM charges
        LEFT JOIN payment_intents AS intents ON intents.id = charges.payment_intent
      into: payments
      action: upsert
      map: {id: id, amount: amount, email: email}
"""
SCHEMA: Final = "kind: schema\nname: {name}\ncolumns:\n  id: text\n  amount: integer\n  email: text\nkey: [id]\n"
FIRST: Final = (
    ("a slice is asked for", 3), ("a slice is read", 2), ("events are recorded", 1), ("a load is to be committed", 2),
    ("a load is committed", 1), ("a load is committed", 2),
)  # fmt: skip
"""Moments of a first run, which reads everything in several slices."""


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A shop whose clock stands still, so that two runs read the same."""
    with ExitStack() as stack:
        shops = ServedShops()
        stack.callback(shops.close)
        yield shops.open(customers=12)


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery({"STRIPE_SECRET_KEY": "sk_test_weir_sandbox"}) as nursery:
        yield nursery


def project(folder: Path, shop: Shop) -> Path:
    for name in ("connections", "interfaces", "schemas"):
        (folder / name).mkdir(parents=True)
    (folder / "connections" / "shop.yaml").write_text(CONNECTION.format(url=shop.url))
    (folder / "interfaces" / "copies.yaml").write_text(INTERFACE)
    for name in ("lines", "payments"):
        (folder / "schemas" / f"{name}.yaml").write_text(SCHEMA.format(name=name))
    return folder


def tables(folder: Path) -> dict[str, list[Any]]:
    """Every table of the Schema with its rows in order."""
    with duckdb.connect(str(folder / ".weir" / "store.duckdb"), read_only=True) as connection:
        return {
            name: connection.execute(f'SELECT * FROM "{name}" ORDER BY ALL').fetchall()
            for name in ("lines", "payments")
        }


def die_and_go_on(nursery: Nursery, shop: Shop, folder: Path, point: str, times: int) -> None:
    """Have a run killed there, and another one make it good; staging holds what the shop holds."""
    assert nursery.run(folder, "run", die=(point, times)) == -signal.SIGKILL, f"{point} ({times}) was not reached"
    nursery.succeed(folder, "run", die=(None, 0))
    demand_same(shop.truth(*TABLES), staged_rows(folder / ".weir" / "staging" / "shop.duckdb"), whole=False)
    assert not list((folder / ".weir" / "spool").iterdir())


def live_on(shop: Shop) -> None:
    """Things happen: new, changed and deleted objects, a line taken from an invoice, an edit without an event."""
    business = Business(shop, None)
    shop.advance(3_600)
    for deed, who, how in (
        ("create_customer", 1, 1), ("update_customer", 3, 1), ("delete_customer", 5, 1), ("draft_invoice", 2, 2),
        ("draft_invoice", 4, 3), ("charge", 1, 1), ("charge", 2, 2), ("intend", 0, 0), ("change_charge", 4, 1),
    ):  # fmt: skip
        business.do(deed, who, how)
        shop.advance(7)
    drafts = [row for row in shop.rows("invoice") if row.obj["status"] == "draft"]
    items = [row for row in shop.rows("invoiceitem") if row.obj["invoice"] == drafts[0].id]
    shop.act("DELETE", f"/v1/invoiceitems/{items[0].id}")
    shop.advance(600)


@pytest.mark.slow
def test_killed_at_every_commit(tmp_path: Path, shop: Shop, nursery: Nursery) -> None:
    undisturbed = project(tmp_path / "undisturbed", shop)
    nursery.succeed(undisturbed, "run", die=(None, 0))
    expected = tables(undisturbed)
    assert all(len(rows) > 5 for rows in expected.values())
    for number, (point, times) in enumerate(FIRST):
        folder = project(tmp_path / f"first-{number}", shop)
        die_and_go_on(nursery, shop, folder, point, times)
        assert tables(folder) == expected, point

    live_on(shop)
    base = shutil.copytree(undisturbed, tmp_path / "base")
    nursery.succeed(undisturbed, "run", die=(None, 0))
    expected, before = tables(undisturbed), expected
    assert all(expected[name] != before[name] for name in expected)
    for number, point in enumerate(POINTS):
        folder = shutil.copytree(base, tmp_path / f"later-{number}")
        die_and_go_on(nursery, shop, folder, point, 1)
        assert tables(folder) == expected, point
