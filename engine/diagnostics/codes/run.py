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
)
