"""The reference page on what a SQL box sees, with the metadata tables of a mirror."""

from __future__ import annotations

from typing import Final

from engine.connector import DECIMALS, MIRROR_TABLES

_PAGE: Final = """\
# What a SQL box sees

A SQL box is one SELECT in DuckDB's dialect. It is bound offline: `weir validate` knows every table and column.

| name | is | seen by boxes of |
|---|---|---|
| `customers` | the connection's table, as its mirror holds it, or else the Schema's | connections, imports |
| `stripe_main.customers` | the same, by the connection's name | connections, imports |
| `customers_all` | its rows and those that the provider does not have any more (`_deleted_at`) | connections, imports |
| `changed.customers` | its rows that have changed since this step has seen them | imports |
| `changed.customers_all` | the same, and those that are gone since | imports |
| `weir.coverage` … | what the mirror tells about itself: [see below](#what-a-mirror-tells) | connections, imports |
| `schema.customers` | the Schema's table; without a connection `customers` will do | all |
| `weir.amount(…)` | [an amount as a number of its currency](#amounts-of-money) | all, and `expr` of a mapping |

Every table of a connection ends with these columns:

| column | holds |
|---|---|
| `_account`, `_livemode`, `_api_version` | whose row it is, whether of live mode, and the API version of the read |
| `_read_at`, `_source` | when it was last read, and how |
| `_changed_at` | since when it is as it is: the run that first found this content, or found it gone or back again |
| `_deleted_at` | when it was found to be gone |
| `_extra` | what the catalogue does not know of it |

## Changed rows only

```yaml
import:
  connection: stripe_main
  sql: SELECT id, email, created FROM changed.customers
  into: customers
  action: upsert
```

The first run of the step sees all customers, and each later one those that are new, or whose content is another one,
since the step has last succeeded. What the provider is asked for is what `customers` would need. Content is all columns
that do not begin with `_`, and `_extra`: a row that was merely read again has not changed.

**All rows count as changed again** when that is the only safe answer: after an edit of the SQL box, of the values of
its parameters, of the mapping, action or match, or of the table; when the connection reaches somebody else or another
API version; when the mirror or the table was deleted; and with `weir run --rebuild`. `weir plan` says which rows it
will be, and why. A tracked parameter that moves on by itself is no edit. What a step has seen is committed in one
transaction with the rows that it wrote: a run that is killed loses nothing and writes nothing twice.

What to keep in mind:

- **A join sees the changed rows of the one table only.** Name whatever may make a row another one:

  ```sql
  SELECT i.id, i.total, c.email
  FROM invoices i JOIN customers c ON c.id = i.customer
  WHERE i.id IN (SELECT id FROM changed.invoices) OR c.id IN (SELECT id FROM changed.customers)
  ```

- **An aggregate over changed rows is a part of the truth.** Aggregate the table, for the groups that have changed:

  ```sql
  SELECT customer, sum(amount) AS total FROM charges
  WHERE customer IN (SELECT customer FROM changed.charges) GROUP BY customer
  ```

- **Rows that are gone** are taken out by a step of their own, with `action: delete`:
  `SELECT id FROM changed.customers_all WHERE _deleted_at IS NOT NULL`.
- **A log of changes** is an `insert` into a table with the key `[id, changed_at]`, from a box that yields
  `_changed_at AS changed_at`.
- A row that is refused stands in `weir runs rejects` until it changes, or all rows count again.
- `weir query` has no step: there, `changed.customers` has all rows.

## Amounts of money

Stripe tells amounts in the smallest unit of their currency: 1000 are 10 dollars, 1000 yen, or one dinar.

```sql
SELECT id, weir.amount(amount, currency) AS amount, currency FROM charges
```

`weir.amount(amount, currency)` is the exact number of the currency (an integer becomes a DECIMAL with three places). It
counts as Stripe does, which is not always what ISO 4217 says: {none} have no decimals; {three} have three; all others
have two, `isk` and `ugx` among them. The currency may be written in any case. An amount of a currency that it does not
know is NULL, and the run warns of it (W601) with the names and how many amounts there were. Never add amounts of
different currencies.

## What a mirror tells

```console
$ weir query stripe_main "SELECT * FROM weir.coverage"
```

These tables are read from the mirror's file, and nothing is asked of the provider for them. Instants are UTC.
"""


def boxes_page(generated: str) -> str:
    """The page as Markdown, below the line that marks it as generated."""
    page = _PAGE.replace("{none}", _with_decimals(0)).replace("{three}", _with_decimals(3))
    parts = [generated, page]
    for name, relation in MIRROR_TABLES.items():
        rows = "\n".join(f"| `{column.name}` | {column.type} | {column.description} |" for column in relation)
        parts.append(f"### weir.{name}\n\n| column | type | holds |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _with_decimals(count: int) -> str:
    names = [f"`{name}`" for name, decimals in DECIMALS.items() if decimals == count]
    return ", ".join(names[:-1]) + f" and {names[-1]}"
