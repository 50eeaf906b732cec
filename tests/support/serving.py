"""A project for servers: its interfaces use only the Schema, so that no provider is needed."""

from __future__ import annotations

from pathlib import Path

WISHES = """
kind: schema
name: wishes
key: [id]
columns:
  id: {type: text, required: true}
  amount: decimal(18,2)
  made: timestamp
  tags: text[]
  note: json
  kind: {type: text, default: plain}
"""
TALLY = """
kind: schema
name: tally
key: [id]
columns:
  id: {type: text, required: true}
  amount: decimal(18,2)
"""
ECHO = """
kind: interface
name: echo
description: Says the wishes again
triggers: {api: true}
parameters:
  least: {type: integer, default: 0}
steps:
  - name: answer
    respond:
      sql: SELECT id, amount, made, kind FROM wishes WHERE coalesce(amount, 0) >= {{ least }} ORDER BY id
"""
SLOW = """
kind: interface
name: slow
triggers: {api: true}
steps:
  - name: count
    respond:
      sql: |
        WITH many AS (SELECT unnest(range(200000)) AS n)
        SELECT count(*) AS pairs FROM many a JOIN many b ON a.n + b.n <> -1
"""
CLOSED = """
kind: interface
name: closed
steps:
  - name: tally
    transform:
      into: tally
      sql: SELECT id, amount FROM wishes
"""
SCHEDULED = """
kind: interface
name: beat
schedule: {every: 1s}
steps:
  - name: answer
    respond: {sql: "SELECT 1 AS one"}
"""


def make_project(folder: Path, **interfaces: str) -> Path:
    """Make a project with `echo`, `slow`, `closed`, their tables, and other definitions given by name."""
    files = {
        "schemas/wishes.yaml": WISHES,
        "schemas/tally.yaml": TALLY,
        "interfaces/echo.yaml": ECHO,
        "interfaces/slow.yaml": SLOW,
        "interfaces/closed.yaml": CLOSED,
        **{f"interfaces/{name}.yaml": text for name, text in interfaces.items()},
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip())
    return folder
