"""`weir run` killed before and after everything that it commits: the next run ends with exactly the right tables."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest

from tests.support.effort import a_third
from tests.support.mirror.business import Business
from tests.support.mirror.comparison import demand_same
from tests.support.mirror.mirrored import staged_rows
from tests.support.mirror.shop import ServedShops, Shop
from tests.support.processes.command import weir
from tests.support.processes.dying import POINTS

KEY: Final = {"STRIPE_SECRET_KEY": "sk_test_weir_sandbox"}
SMALL: Final = (None, 0)
"""Small slices, and no death."""
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
"""Points of a first run, which reads everything in several slices."""


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


@dataclass(frozen=True)
class Undisturbed:
    """A shop whose clock stands still, a project before a run, and the tables after that run."""

    shop: Shop
    before: Path
    expected: dict[str, list[Any]]

    def demand_recovery(self, folder: Path, point: str, times: int) -> None:
        """Have a run of a copy killed there; the next one ends with the same tables, and staging holds the shop."""
        shutil.copytree(self.before, folder)
        killed = weir(folder, "run", environment=KEY, die=(point, times))
        assert killed.code == -signal.SIGKILL, f"{point} ({times}) was not reached"
        weir(folder, "run", environment=KEY, die=SMALL).succeeded()
        mirror = staged_rows(folder / ".weir" / "staging" / "shop.duckdb")
        demand_same(self.shop.truth(*TABLES), mirror, whole=False)
        assert not list((folder / ".weir" / "spool").iterdir())
        assert tables(folder) == self.expected


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    shops = ServedShops()
    yield shops.open(customers=12)
    shops.close()


@pytest.fixture(scope="module")
def first(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """A first run."""
    before = project(tmp_path_factory.mktemp("first") / "before", shop)
    return undisturbed(shop, before)


@pytest.fixture(scope="module")
def later(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Undisturbed]:
    """The second run, after many changes in a shop of its own."""
    shops = ServedShops()
    shop = shops.open(customers=12)
    before = project(tmp_path_factory.mktemp("later") / "before", shop)
    weir(before, "run", environment=KEY, die=SMALL).succeeded()
    earlier = tables(before)
    live_on(shop)
    made = undisturbed(shop, before)
    assert all(made.expected[name] != earlier[name] for name in earlier)
    yield made
    shops.close()


def undisturbed(shop: Shop, before: Path) -> Undisturbed:
    folder = shutil.copytree(before, before.with_name("undisturbed"))
    weir(folder, "run", environment=KEY, die=SMALL).succeeded()
    expected = tables(folder)
    assert all(len(rows) > 5 for rows in expected.values())
    return Undisturbed(shop, before, expected)


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


@pytest.mark.parametrize(("point", "times"), a_third(FIRST))
def test_first_run_killed_at_a_commit_next_run_completes_it(
    tmp_path: Path, first: Undisturbed, point: str, times: int
) -> None:
    first.demand_recovery(tmp_path / "project", point, times)


@pytest.mark.parametrize("point", a_third(POINTS))
def test_later_run_killed_at_a_commit_next_run_completes_it(tmp_path: Path, later: Undisturbed, point: str) -> None:
    later.demand_recovery(tmp_path / "project", point, 1)
