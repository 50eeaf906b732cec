"""The reference page on what a SQL box sees, with the metadata tables of a mirror."""

from __future__ import annotations

from typing import Final

from engine.connector import MIRROR_TABLES
from engine.connectors.stripe.currencies import DECIMALS

_PAGE: Final = """\
# What a SQL box sees

A SQL box is one SELECT in DuckDB's dialect. It is bound offline: `weir validate` knows every table and column.

| name | is | seen by boxes of |
|---|---|---|
| `customers` | the connection's table in its mirror, or else the Schema's table | connections, imports |
| `stripe_main.customers` | the same, by the connection's name | connections, imports |
| `customers_all` | its rows, including those deleted by the provider (`_deleted_at`) | connections, imports |
| `changed.customers` | its rows that changed since the last successful run of the step | imports |
| `changed.customers_all` | the same, including rows deleted since | imports |
| `weir.coverage` … | the [metadata of the mirror](#mirror-metadata) | connections, imports |
| `schema.customers` | the Schema's table; without a connection `customers` is enough | all |
| `weir.amount(…)` | [an amount as a number of its currency](#amounts-of-money) | all, and `expr` of a mapping |

Every table of a connection ends with these columns:

| column | content |
|---|---|
| `_account`, `_livemode`, `_api_version` | account, mode and API version of the read |
| `_read_at`, `_source` | time and kind of the last read |
| `_changed_at` | start of the run that found the current content, a deletion or a reappearance |
| `_deleted_at` | time at which the deletion was found |
| `_extra` | fields that are not in the catalogue |

## Changed rows only

```yaml
import:
  connection: stripe_main
  sql: SELECT id, email, created FROM changed.customers
  into: customers
  action: upsert
```

The first run of the step sees all customers; each later run sees those that are new or whose content changed since the
last success of the step. The requests to the provider are the same as for `customers`. Content is all columns that do
not start with `_`, and `_extra`: reading a row again does not change it.

**All rows count as changed again** when nothing else is safe: after an edit of the SQL box, of the values of its
parameters, of the mapping, action or match, or of the table; when the connection reaches another account or API
version; when the mirror or the table was deleted; and with `weir run --rebuild`. `weir plan` shows which rows a run
will read, and why. The progress of a tracked parameter is not an edit. The position of a step is committed in one
transaction with the rows that it wrote: a killed run loses nothing and writes nothing twice.

Note:

- **A join sees the changed rows of one table only.** Include every table whose change affects a row:

  ```sql
  SELECT i.id, i.total, c.email
  FROM invoices i JOIN customers c ON c.id = i.customer
  WHERE i.id IN (SELECT id FROM changed.invoices) OR c.id IN (SELECT id FROM changed.customers)
  ```

- **An aggregate over changed rows is incomplete.** Aggregate the table for the groups that changed:

  ```sql
  SELECT customer, sum(amount) AS total FROM charges
  WHERE customer IN (SELECT customer FROM changed.charges) GROUP BY customer
  ```

- **Deleted rows** need a separate step with `action: delete`:
  `SELECT id FROM changed.customers_all WHERE _deleted_at IS NOT NULL`.
- **A log of changes** is an `insert` into a table with the key `[id, changed_at]`, from a box that selects
  `_changed_at AS changed_at`.
- A rejected row is listed by `weir runs rejects` until it changes or all rows count as changed.
- `weir query` has no step: `changed.customers` contains all rows.

## Amounts of money

Stripe's amounts are in the smallest unit of their currency: 1000 is 10 dollars, 1000 yen, or one dinar.

```sql
SELECT id, weir.amount(amount, currency) AS amount, currency FROM charges
```

`weir.amount(amount, currency)` is the exact number of the currency (an integer becomes a DECIMAL with three places). It
follows Stripe, which differs from ISO 4217: {none} have no decimals; {three} have three; all others have two, including
`isk` and `ugx`. The currency is case-insensitive. An amount in an unknown currency is NULL, and the run warns (W601)
with the currencies and the number of amounts. Never add amounts of different currencies.

## Mirror metadata

```console
$ weir query stripe_main "SELECT * FROM weir.coverage"
```

These tables are read from the mirror's file, without requests to the provider. Timestamps are UTC.
"""


def boxes_page(generated: str) -> str:
    """The page as Markdown, below the line that marks it as generated."""
    page = _PAGE.replace("{none}", _with_decimals(0)).replace("{three}", _with_decimals(3))
    parts = [generated, page]
    for name, relation in MIRROR_TABLES.items():
        rows = "\n".join(f"| `{column.name}` | {column.type} | {column.description} |" for column in relation)
        parts.append(f"### weir.{name}\n\n| column | type | content |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _with_decimals(count: int) -> str:
    names = [f"`{name}`" for name, decimals in DECIMALS.items() if decimals == count]
    return ", ".join(names[:-1]) + f" and {names[-1]}"
