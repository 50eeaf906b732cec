"""Codes E6xx: running."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E602",
        "duplicate key",
        """
Two rows of a box have the same key. Which one is right is ambiguous, so the table is not changed.

```
error[E602]: the box returns more than one row for 1 key of `customers` (`customer_id`): 'cus_1' (2 rows)
```

The usual cause is a join with several matches per row. The code is also reported when a step that matches by other
columns than the table's key would leave several rows with one key.

**Fix:** Return one row per key, with `GROUP BY` or
`QUALIFY row_number() OVER (PARTITION BY id ORDER BY created DESC) = 1`, or add columns to `match`.
""",
    ),
    Code(
        "E603",
        "column type cannot change",
        """
The table has rows, and the new type of a column cannot represent all values of the old type.

```
error[E603]: column `amount` of `payments` is text and cannot become integer
```

Types may widen (integer to decimal, any type to text). A column that was removed from the Schema stays in the file,
hidden, and reappears when it is added again.

**Fix:** Add a new column with the new type and fill it with a `transform`, or empty the table first: an empty table
accepts any change.
""",
    ),
    Code(
        "E604",
        "required column without values",
        """
A column is `required`, but existing rows that the step does not write have no value in it.

```
error[E604]: column `email` of `customers` is required, but 12 existing rows have no value
```

**Fix:** Fill the existing rows first, with `action: replace` or an update, then make the column required.
""",
    ),
    Code(
        "E605",
        "rows cannot be written",
        """
The rows of a box could not be mapped or written: an expression of the mapping failed, a column of the mapping does not
exist, or the file of the Schema cannot be read or written (full disk, damaged file). The table is not changed.

```
error[E605]: an expression of the mapping failed: Could not convert string 'abc' to INT64
```

**Fix:** Correct the expression that the message names: `try_cast` returns NULL where `cast` fails. For a failure of the
file, free disk space or run `weir doctor`.
""",
    ),
    Code(
        "E606",
        "nothing to match by",
        """
An update, a delete or an upsert needs columns that identify a row, and neither the step nor the table names any.

```
error[E606]: `upsert` into `customers` has nothing to match by
```

**Fix:** Add a `key` to the table, or a `match` to the step.
""",
    ),
    Code(
        "E620",
        "SQL box failed",
        """
The box compiled, but failed on the actual rows: a value that cannot be converted, a division by zero, or a limit
(seconds, memory, temp, depth). The table is not changed.

```
error[E620]: Could not convert string 'abc' to INT64
```

**Fix:** Follow the message, which is DuckDB's. `try_cast(x AS …)` returns NULL where `cast` fails, `nullif(x, 0)`
avoids a division by zero. Limits are set in `weir.yaml`.
""",
    ),
    Code(
        "E621",
        "provider cannot be read",
        """
The provider could not be reached, rejected the key or a request, or returned a response that cannot be used. Steps that
need the table are skipped; the others continue.

```
error[E621]: the key lacks the permission to read `disputes`
```

**Fix:** Follow the hint; the message is the provider's. `weir test-connection NAME` tests the connection on its own.
""",
    ),
    Code(
        "E622",
        "interface is already running",
        """
Another run holds the lease of this interface. Two runs of one interface would write the same tables, so this run did
nothing. The exit code is 5.

```
error[E622]: `customers` is already running: pid 4711 on build-3, since 2026-03-01 10:02:33
```

**Fix:** Wait until the other run has ended. If its process no longer exists, the next run takes over: immediately on
the same host, otherwise after half a minute.
""",
    ),
    Code(
        "E623",
        "stop_if without a boolean value",
        """
The box of a `stop_if` returns one row with one boolean column. NULL counts as false.

```
error[E623]: `stop_if` expects one row with one value, got 3 rows
```

**Fix:** Compare or aggregate: `SELECT count(*) = 0 FROM customers`.
""",
    ),
    Code(
        "E627",
        "read budget exhausted",
        """
The connection has a `read_budget`. If the run would exceed it, no request is sent. If the run exceeds it on the way, it
finishes the requests in progress and stops; rows that were read stay in staging. The exit code is 6.

```
error[E627]: the read budget of `stripe_main` is exhausted: 10,004 of 10,000 requests in 30 days
```

Every read request counts, including retries, on the day on which it was sent and for the following 29 days.
`weir plan` shows the current use and estimates what a run would add.

**Fix:** Raise `limits.read_budget` if the provider allows more, or run once with `--over-budget`.
""",
    ),
    Code(
        "E629",
        "unexpected failure",
        """
The task failed with an error that Weir does not handle. Its table is not changed, and the other tasks continued.

```
error[E629]: unexpected OSError: [Errno 28] No space left on device
```

**Fix:** Follow the message. If it gives no reason, report it together with the command.
""",
    ),
    Code(
        "E610",
        "file is in use",
        """
Another process uses a DuckDB file of the project (the Schema, or the staging of a connection) and did not release it in
time. Nothing was changed.

```
error[E610]: `store.duckdb` is in use by process 4711
```

**Fix:** Run again: another run of Weir holds a file only during a commit. A program that keeps the file open (a DuckDB
shell, a notebook, a BI tool) must close it, or read a snapshot instead.
""",
    ),
    Code(
        "E611",
        "pages cannot be stored",
        """
A response of the provider could not be stored in staging: its bytes are not UTF-8 or not JSON, or the disk is full. The
staging file is not changed.

```
error[E611]: pages could not be stored in `stripe_main.duckdb`: Out of Disk Error: …
```

**Fix:** Follow the message. Free disk space, or run again. Report invalid bytes to the provider.
""",
    ),
    Code(
        "E612",
        "account mismatch",
        """
The connection's key belongs to another account, or another mode, than the rows of its mirror. Nothing was stored,
because rows of two accounts in one mirror could not be separated.

```
error[E612]: `stripe_main.duckdb` mirrors account acct_1A in test mode, but the key belongs to account acct_2B
```

An embedded sandbox gets a new account whenever `.weir/sandbox` is deleted.

**Fix:** Use a key of the original account, or add a separate connection for the other account. To switch this
connection to the new account, delete its file in `.weir/staging`: the next run reads everything again.
""",
    ),
    Code(
        "E613",
        "unusually many deletions",
        """
A full read of a table did not return many of the rows in the mirror. They may be deleted, or the key may have lost
permissions. The mirror is not changed.

```
error[E613]: 812 of 1,000 rows of `customers` no longer exist
```

**Fix:** Check the provider's dashboard. If the rows are deleted, run again with `--accept-deletes`.
""",
    ),
    Code(
        "E650",
        "run state cannot be opened",
        """
`state.db`, which holds runs, leases and tracked parameters, cannot be opened. Nothing was done.

```
error[E650]: the run state cannot be opened: unable to open database file
```

**Fix:** Check that `.weir` is writable, that the disk has space, and that the file is a SQLite database; `weir doctor`
checks all three. Deleting the file loses the history and the values of tracked parameters, but no rows.
""",
    ),
    Code(
        "E651",
        "run state of a newer version",
        """
A newer version of Weir wrote `state.db`, and this version does not support its schema. Nothing was done.

```
error[E651]: the run state has schema version 9, this program supports 3
```

**Fix:** Use the version that wrote it, or a newer one.
""",
    ),
    Code(
        "W601",
        "unknown currency",
        """
`weir.amount(amount, currency)` met a currency whose number of decimals is unknown. These amounts are NULL: a guess
could be wrong by a factor of 100.

```
warning: payments.load: `weir.amount` does not know the currency `xyz` (12): these amounts are NULL (W601)
```

**Fix:** Check the rows for values that are not currencies. If the provider has a new currency, report it to Weir; until
then, convert it in the box: `CASE currency WHEN 'xyz' THEN amount * 0.01 ELSE weir.amount(amount, currency) END`.
""",
    ),
    Code(
        "W602",
        "optional table could not be read",
        """
A table that the connection lists under `optional` could not be read, and the run continued without it. The mirror keeps
its previous rows without claiming that they are current; steps read these rows, or none.

```
warning: stripe_main:reviews: `reviews` could not be read, and is optional: … needs `rak_review_read` (W602)
```

**Fix:** Grant the key the permission that the message names, or ignore the warning: the next run tries again. To make
the run fail instead, remove the table from `optional`.
""",
    ),
)
