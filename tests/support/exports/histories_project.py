"""The project of the history test: it writes objects to the shop with every way of matching them."""

from __future__ import annotations

from typing import Final

INTERFACE: Final = """
kind: interface
name: sell
steps:
  - name: people
    on_error: continue
    export:
      from: people
      connection: shop
      entity: customers
      match: {"metadata[code]": code}
      map: {name: name, "metadata[tier]": tier}
      on_missing: delete
      caps: {max_error_share: 1, max_deletes: 100}
  - name: products
    on_error: continue
    export:
      from: items
      sql: SELECT sku, min(name) AS name FROM items GROUP BY sku
      connection: shop
      entity: products
      match: {id: sku}
      map: {name: name}
      on_missing: archive
      caps: {max_error_share: 1, max_deletes: 100}
  - name: prices
    on_error: continue
    export:
      from: items
      connection: shop
      entity: prices
      match: {lookup_key: sku}
      map:
        product: {ref: products, from: sku}
        unit_amount: amount
        currency: currency
        nickname: name
      on_missing: archive
      caps: {max_error_share: 1, max_deletes: 100}
  - name: endings
    on_error: continue
    export:
      from: endings
      connection: shop
      entity: coupons
      action: delete
      match: {id: coupon}
      caps: {max_error_share: 1, max_deletes: 100}
  - name: credits
    on_error: continue
    call:
      connection: shop
      function: customer_balance_transactions.create
      sql: SELECT credit, code, cents FROM credits
      key: [credit]
      parameters:
        customer: {ref: people, from: code}
        amount: cents
        currency: {default: eur}
        description: credit
      caps: {max_error_share: 1}
      into: given
      map: {id: id, credit: credit, cents: amount}
"""
COLUMNS: Final = {
    "people": {"code": "text", "name": "text", "tier": "text"},
    "items": {"sku": "text", "name": "text", "amount": "integer", "currency": "text"},
    "endings": {"coupon": "text"},
    "credits": {"credit": "text", "code": "text", "cents": "integer"},
    "given": {"id": "text", "credit": "text", "cents": "integer"},
}
