"""One valid definition of each kind with every field, and validation of single definitions."""

from __future__ import annotations

from pathlib import Path

from engine.diagnostics import Collector
from engine.source import SourceTree, read_yaml
from engine.spec import SpecSet, validate_tree

CONNECTION = """\
kind: connection
name: stripe_main
connector: stripe
description: Production account, restricted key
is_active: true
is_source: true
is_target: false
agent: local
timeout_ms: 30000
client_secret: {env: STRIPE_SECRET_KEY}
api_version: "2026-10-28.endive"
mode: test
sql: |
  SELECT id, email, created FROM customers ORDER BY created DESC LIMIT 20
datetime_format: null
base_url: null
accounts: [acct_1abc]
limits: {requests_per_second: 80, read_budget: 100000}
grants: {write: [customers, products], moves_money: false, live: false}
meta: {owner: finance, anything: [1, {x: y}]}
x-team: payments
"""
SCHEMA = """\
kind: schema
name: customers
columns:
  customer_id: {type: text, required: true, description: Stripe id}
  email: text
  created_at: timestamp
  lifetime_value: {type: decimal(18,2), default: 0}
  tags: "text[]"
key: [customer_id]
"""
INTERFACE = """\
kind: interface
name: customers
is_active: true
schedule: {every: 15m}
triggers: {api: true, webhook: [customer.*]}
concurrency: {max: 1, on_overlap: skip}
timeout: 30m
parameters:
  since: {type: timestamp, default: "2024-01-01T00:00:00Z", track: true}
steps:
  - name: load
    import:
      connection: stripe_main
      sql: |
        SELECT id, email, created, metadata['tier'] AS tier FROM customers WHERE created >= {{ since }}
      into: customers
      action: upsert
      match: {customer_id: id}
      map: {customer_id: id, email: {from: email, skip_if_empty: true}, created_at: {expr: "created", default: 0}}
    on_error: stop
    on_empty: continue
    snapshot: true
  - name: tidy
    transform: {into: customers, action: replace, sql: "SELECT * FROM customers WHERE email IS NOT NULL"}
  - name: push
    export:
      from: customers
      connection: stripe_main
      entity: customers
      action: upsert
      match: {customer_id: id}
      map: {name: full_name, "metadata[tier]": tier}
      on_missing: keep
      caps: {max_writes: 500, max_deletes: 0}
  - name: finalize
    call:
      connection: stripe_main
      function: invoices.finalize
      sql_file: finalize.sql
      into: invoices
      match: {invoice_id: id}
      map: auto
  - stop_if: SELECT count(*) = 0 FROM customers
  - respond: {sql: SELECT * FROM customers LIMIT 100}
"""
CASES = """\
kind: test
description: What comes of payments
interface: payments
cases:
  - name: a refund counts
    x-note: mine
    parameters: {since: "2026-01-01T00:00:00Z", least: 1, share: 0.5, ids: [a], all: true}
    given:
      stripe_main:
        charges: []
        refunds: [{id: re_1, amount: 1000, metadata: {x-free: data}, created: 2026-01-01T00:00:00Z}]
      schema:
        customers: [{customer_id: cus_1}]
    expect:
      schema: {payments: [{payment_id: ch_1, refunded_minor: null}]}
      writes:
        push: [{do: update, object: cus_1, key: [a, b], set: {"metadata[tier]": gold, "active": true, "name": null}}]
      respond: [{n: 1}]
      rejects: {load: 1}
      fails: the message
  - name: nothing happens
"""
SETTINGS = """\
kind: settings
agents:
  cluster: {executor: inline, parallelism: 8}
boxes: {memory_mb: 512, seconds: 60}
policy: {reject_limit: 10}
"""
FILES = {
    "connections/stripe_main.yaml": CONNECTION,
    "interfaces/customers.yaml": INTERFACE,
    "schemas/customers.yaml": SCHEMA,
    "weir.yaml": SETTINGS,
}


def validated(**files: str) -> tuple[SpecSet, Collector]:
    """The specs of files given as `connections__a="…"`, and the findings."""
    return validated_files({f"{name.replace('__', '/')}.yaml": text for name, text in files.items()})


def validated_files(files: dict[str, str]) -> tuple[SpecSet, Collector]:
    """The specs of files by path, and the findings."""
    collector = Collector()
    documents = {file: read_yaml(file, text, collector) for file, text in files.items()}
    tree = SourceTree(Path(), documents)
    return validate_tree(tree, collector), collector
