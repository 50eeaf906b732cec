"""A small project that writes to a shop, with an interface for each kind of write, for runs as a process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb

CONNECTION: Final = """
kind: connection
name: shop
connector: stripe
is_source: true
is_target: true
client_secret: {{env: STRIPE_SECRET_KEY}}
base_url: {url}
limits: {{requests_per_second: 5000}}
grants: {{write: [customers, products, prices, customer_balance_transactions], moves_money: true}}
"""
INTERFACES: Final = {
    "people": """
kind: interface
name: people
steps:
  - name: people
    export:
      from: people
      connection: shop
      entity: customers
      match: {"metadata[code]": code}
      map: {name: name, email: email, "metadata[tier]": tier}
      on_missing: delete
""",
    "prices": """
kind: interface
name: prices
steps:
  - name: products
    export:
      from: items
      connection: shop
      entity: products
      match: {id: sku}
      map: {name: name}
      on_missing: archive
  - name: prices
    export:
      from: items
      connection: shop
      entity: prices
      match: {lookup_key: sku}
      map:
        product: {ref: products, from: sku}
        unit_amount: amount
        currency: {default: eur}
      on_missing: archive
""",
    "credits": """
kind: interface
name: credits
steps:
  - name: credits
    call:
      connection: shop
      function: customer_balance_transactions.create
      sql: SELECT credit, customer, cents FROM credits
      key: [credit]
      parameters: {customer: customer, amount: cents, currency: {default: eur}, description: credit}
      into: given
      map: {id: id, credit: credit, cents: amount}
""",
}
COLUMNS: Final = {
    "people": {"code": "text", "name": "text", "email": "text", "tier": "text"},
    "items": {"sku": "text", "name": "text", "amount": "integer"},
    "credits": {"credit": "text", "customer": "text", "cents": "integer"},
    "given": {"id": "text", "credit": "text", "cents": "integer"},
}


def small_project(folder: Path, url: str) -> Path:
    """Write the project to a new folder."""
    for name in ("connections", "interfaces", "schemas", ".weir"):
        (folder / name).mkdir(parents=True)
    (folder / "connections" / "shop.yaml").write_text(CONNECTION.format(url=url))
    for name, text in INTERFACES.items():
        (folder / "interfaces" / f"{name}.yaml").write_text(text)
    for name, columns in COLUMNS.items():
        lines = "".join(f"  {column}: {kind}\n" for column, kind in columns.items())
        text = f"kind: schema\nname: {name}\ncolumns:\n{lines}key: [{next(iter(columns))}]\n"
        (folder / "schemas" / f"{name}.yaml").write_text(text)
    return folder


def fill(folder: Path, table: str, rows: Sequence[Sequence[Any]]) -> None:
    """Replace the rows of a table of the Schema."""
    columns: Mapping[str, str] = COLUMNS[table]
    with duckdb.connect(str(folder / ".weir" / "store.duckdb")) as connection:
        shape = ", ".join(f"{name} {'BIGINT' if kind == 'integer' else 'VARCHAR'}" for name, kind in columns.items())
        connection.execute(f"CREATE OR REPLACE TABLE {table} ({shape})")
        for row in rows:
            connection.execute(f"INSERT INTO {table} VALUES ({', '.join('?' for _ in row)})", list(row))
