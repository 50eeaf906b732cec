"""Codes E6xx: running."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E602",
        "doubled key",
        """
Two rows of a box are meant for one row of its table, so nobody can say which is right. The table is left as it was.

```
error[E602]: the box yields more than one row for 1 key of `customers` (`customer_id`): 'cus_1' (2 rows)
```

A join that finds several partners for a row is the usual cause. Make the rows distinct in the box, by `GROUP BY` or by
`QUALIFY row_number() OVER (PARTITION BY id ORDER BY created DESC) = 1`, or match more columns. The code is also
reported when a step that matches by other columns than the table's key would leave a key with more than one row.
""",
    ),
    Code(
        "E603",
        "column type cannot change",
        """
A table has rows, and a column was given a type that does not hold all values of its old one.

```
error[E603]: column `amount` of `payments` holds text and cannot become integer
```

Types may widen (integer to decimal, anything to text). For another change, give the new type to a new column and fill
it by a `transform`, or empty the table first: an empty table takes any shape. A column that was removed from the
Schema stays in the file, hidden, and is found again when it comes back.
""",
    ),
    Code(
        "E604",
        "required column without values",
        """
A column is `required`, but rows that are in the table already, and that the step leaves alone, have no value in it.

```
error[E604]: column `email` of `customers` is required, but 12 rows that this step leaves alone have none
```

Fill the old rows first (a step with `action: replace`, or an update of these rows), then make the column required.
""",
    ),
    Code(
        "E605",
        "rows cannot be written",
        """
The rows of a box could not be mapped or written: an expression of the mapping failed, a column of the mapping does not
exist, or the file of the Schema cannot be read or written (a full disk, a damaged file). The table is left as it was.

```
error[E605]: an expression of the mapping failed: Could not convert string 'abc' to INT64
```

The message says what failed. In an expression, `try_cast` gives NULL where `cast` fails.
""",
    ),
    Code(
        "E606",
        "nothing to match by",
        """
An update, a delete or an upsert has to find rows, and neither the step nor the table says by which columns.

```
error[E606]: `upsert` into `customers` has nothing to match by
```

Give the schema a `key`, or the step a `match`.
""",
    ),
    Code(
        "E620",
        "SQL box failed",
        """
A box was bound when it was compiled, and failed when it ran over the rows: a value that cannot be converted, a division
by zero, or one of its limits (seconds, memory, temp, depth). The table is left as it was.

```
error[E620]: Could not convert string 'abc' to INT64
```

The message is DuckDB's. `try_cast(x AS …)` gives NULL where `cast` fails, `nullif(x, 0)` avoids a division by zero. A
limit can be raised in `weir.yaml`.
""",
    ),
    Code(
        "E621",
        "provider cannot be read",
        """
The connection's provider could not be reached, refused the key or a request, or answered something that cannot be
used. Steps that need the table are left out; the others go on.

```
error[E621]: the key lacks the permission to read `disputes`
```

The message is the provider's, the hint says what to do. `weir test-connection NAME` tries the connection by itself.
""",
    ),
    Code(
        "E622",
        "interface is running already",
        """
Another run has this interface, and two runs of one interface would write the same tables. Nothing was done; the exit
code is 5.

```
error[E622]: `customers` is running already: pid 4711 on build-3, since 2026-03-01 10:02:33
```

Wait until the other run has ended. When its process is gone, the next run takes over, at once on the same host,
otherwise after half a minute.
""",
    ),
    Code(
        "E623",
        "stop_if without a truth value",
        """
The box of a `stop_if` has to yield one row with one column of type boolean. NULL counts as false.

```
error[E623]: `stop_if` expects one row with one value, got 3 rows
```

Compare or aggregate: `SELECT count(*) = 0 FROM customers`.
""",
    ),
    Code(
        "E627",
        "read budget is spent",
        """
The connection has a `read_budget`, and the run would pass it: then nothing is asked for; or it passed it while it went
on: then it ends after what was begun, and what was read is kept in staging. The exit code is 6.

```
error[E627]: the read budget of `stripe_main` is spent: 10,004 of 10,000 requests in 30 days
```

Every request that reads counts, retries included, for the day on which it was sent and the 29 days after it.
`weir plan` says how much is used and about how much a run would add. Raise `limits.read_budget` if the provider allows
more, or run once with `--over-budget`.
""",
    ),
    Code(
        "E629",
        "unexpected failure",
        """
Something failed in a way that Weir does not know. The task failed, its table is as it was, and the other tasks went on.

```
error[E629]: unexpected OSError: [Errno 28] No space left on device
```

If the message does not say what to do, please report it with the command and the message.
""",
    ),
    Code(
        "E610",
        "busy file",
        """
A DuckDB file of the project, the Schema or the staging of a connection, is in use by another process, and stayed so for
as long as Weir waits. Nothing was changed.

```
error[E610]: `store.duckdb` is in use by process 4711
```

Another run of Weir holds a file only for the moment of a commit: run again. A program that keeps the file open (a
DuckDB shell, a notebook, a BI tool) must close it, or read a snapshot instead.
""",
    ),
    Code(
        "E611",
        "pages cannot be stored",
        """
What a provider sent could not be put into staging: its bytes are no UTF-8 or no JSON, or the disk is full. The staging
file is as it was before.

```
error[E611]: pages could not be stored in `stripe_main.duckdb`: Out of Disk Error: …
```

The message says what failed. Make room on the disk, or run again; if the bytes are the provider's, report them to it.
""",
    ),
    Code(
        "E612",
        "another account",
        """
The key of a connection belongs to another account, or another mode, than the rows that its mirror holds. Nothing was
stored: rows of two accounts in one mirror could not be told apart.

```
error[E612]: `stripe_main.duckdb` mirrors the account acct_1A in test mode, and the key opens the account acct_2B
```

Take the key of the right account. For the other account, add a connection of its own. To have this connection follow
the key, delete its file in `.weir/staging`: the next run reads everything anew.

An embedded sandbox that was begun anew (`.weir/sandbox` was deleted) is another account, too.
""",
    ),
    Code(
        "E613",
        "many rows would be deleted",
        """
A read of a whole table did not bring many of the rows that the mirror holds. That may be right, and it may be a key
that sees less than the one before. The mirror was left as it was.

```
error[E613]: 812 of 1,000 rows of `customers` no longer exist
```

Look at it in the provider's dashboard. If they are gone indeed, run again with `--accept-deletes`.
""",
    ),
    Code(
        "E650",
        "run state cannot be opened",
        """
`state.db`, where runs, leases and tracked parameters are kept, cannot be opened. Nothing was done.

```
error[E650]: the run state cannot be opened: unable to open database file
```

See that the folder `.weir` can be written, that the disk has room, and that the file is what it was: a SQLite database.
`weir doctor` looks at all of these. Deleting the file loses the history and where tracked parameters stand, no rows.
""",
    ),
    Code(
        "E651",
        "run state of a newer version",
        """
`state.db` was written by a version of Weir that keeps more in it than this one knows. Nothing was done.

```
error[E651]: the run state has schema version 9, this program knows 3
```

Use the version that wrote it, or a newer one.
""",
    ),
    Code(
        "W601",
        "currency that is not known",
        """
`weir.amount(amount, currency)` met a currency of which it does not know how many decimals its smallest unit stands for.
These amounts are NULL: a guess could be wrong by a factor of a hundred.

```
warning: payments.load: `weir.amount` does not know the currency `xyz` (12): these amounts are NULL (W601)
```

Look at the rows: a word that is no currency comes from the data. If the provider has a new currency, report it to Weir;
until then, convert it in the box: `CASE currency WHEN 'xyz' THEN amount * 0.01 ELSE weir.amount(amount, currency) END`.
""",
    ),
    Code(
        "W602",
        "optional table that could not be read",
        """
A table that the connection calls `optional` could not be read, so the run went on without it. The mirror keeps the rows
that it had, and does not claim that they are current; steps see these, or none.

```
warning: stripe_main:reviews: `reviews` could not be read, and is optional: … needs `rak_review_read` (W602)
```

Give the key the permission that is named, or leave it: the next run asks again. To be told by a failure instead, take
the table out of `optional` of the connection.
""",
    ),
)
