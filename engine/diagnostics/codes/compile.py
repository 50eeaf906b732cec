"""Codes E4xx: compiling steps and SQL boxes."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E401",
        "SQL syntax error",
        """
A SQL box is not valid SQL in DuckDB's dialect.

```sql
SELECT id FORM customers
```

**Fix:** Correct the marked position. `weir query CONNECTION "SELECT …"` tries a box.
""",
    ),
    Code(
        "E402",
        "unknown table in SQL",
        """
A box names a table that neither its connection nor the Schema has.

```sql
SELECT id FROM custmers
```

**Fix:** Correct the name. `weir catalog` lists the tables of Stripe. Where a connection has a table of the same name,
use `schema.customers` for the table of the Schema.
""",
    ),
    Code(
        "E403",
        "unknown column in SQL",
        """
A box names a column that its tables do not have. The check needs no request to the provider.

```sql
SELECT emial FROM customers
```

**Fix:** Correct the name. `weir catalog customers` lists the columns.
""",
    ),
    Code(
        "E404",
        "unknown function in SQL",
        """
A box calls a function that DuckDB does not have, or that boxes may not use.

```sql
SELECT upcase(email) FROM customers
```

**Fix:** Use a function of DuckDB's SQL. Functions that read files, the network or settings are not available.
""",
    ),
    Code(
        "E405",
        "type mismatch in SQL",
        """
An operator or function in a box does not accept values of these types.

```sql
SELECT created + email FROM customers
```

**Fix:** Convert one side: `CAST(x AS …)`.
""",
    ),
    Code(
        "E406",
        "more than one statement",
        """
A box contains exactly one SELECT.

```sql
SELECT 1; SELECT 2
```

**Fix:** Use two steps, or one SELECT with WITH or UNION.
""",
    ),
    Code(
        "E407",
        "not a SELECT",
        """
A box only reads. Statements that write, set, attach or load are rejected, also inside a WITH.

```sql
DELETE FROM customers
```

**Fix:** Write a SELECT; the step's `action` determines what happens to its rows.
""",
    ),
    Code(
        "E408",
        "SQL does not bind",
        """
DuckDB rejects the box for another reason; the message is DuckDB's.

```sql
SELECT id, count(*) FROM customers
```

**Fix:** Follow the message.
""",
    ),
    Code(
        "E409",
        "template error",
        """
The Jinja2 template of a box does not render. Templates are sandboxed: no object attributes, no files, no long loops.

```sql
SELECT {{ since
```

**Fix:** Correct the marked position; `docs/reference/templates.md` describes what templates support.
""",
    ),
    Code(
        "E410",
        "unknown parameter in a template",
        """
A template uses a name that is neither a parameter of the interface nor one of `parameters`, `interface`,
`connection`.

```sql
WHERE created >= {{ sinse }}
```

**Fix:** Correct the name, or declare it under `parameters:`.
""",
    ),
    Code(
        "E411",
        "unknown column of the box",
        """
A `map` or `match` names a column that the box does not return.

```yaml
map: {email: e_mail}
```

**Fix:** Correct the name, or add the column to the SELECT.
""",
    ),
    Code(
        "E412",
        "unknown column of the table",
        """
A `map` or `match` names a column that the table of the Schema does not have.

```yaml
map: {emial: email}
```

**Fix:** Correct the name, or add the column to the table.
""",
    ),
    Code(
        "E413",
        "incompatible types",
        """
The type of the box's column cannot be converted to the type of the table's column.

```yaml
columns: {created_at: boolean}
```

**Fix:** Convert it in the SQL box, or change the type of the table's column.
""",
    ),
    Code(
        "E414",
        "required column without a value",
        """
A required column of the table gets no value from this step.

```yaml
columns: {id: {type: text, required: true}}
```

**Fix:** Map the column, or give it a default.
""",
    ),
    Code(
        "E415",
        "nothing to match by",
        """
`update`, `delete` and `upsert` need columns that identify a row. The step has no `match`, and the table has no `key`.

```yaml
action: upsert
```

**Fix:** Add a `key` to the table whose columns the box returns, or a `match` to the step.
""",
    ),
    Code(
        "E416",
        "stop_if without a boolean column",
        """
`stop_if` takes a query with exactly one boolean column.

```yaml
stop_if: SELECT count(*) FROM customers
```

**Fix:** Compare: `SELECT count(*) = 0 FROM customers`.
""",
    ),
    Code(
        "E417",
        "duplicate column",
        """
A box returns two columns with the same name (names are case-insensitive).

```sql
SELECT c.id, i.id FROM customers c JOIN invoices i ON i.customer = c.id
```

**Fix:** Rename one with AS.
""",
    ),
    Code(
        "E418",
        "value of the wrong type",
        """
A default or a passed value does not have the type of its parameter or column.

```yaml
parameters: {since: {type: timestamp, default: yesterday}}
```

**Fix:** Write a value of the type. Timestamps look like `2026-01-31T12:00:00Z`.
""",
    ),
    Code(
        "E419",
        "two writers without an order",
        """
Two interfaces write one table and neither depends on the other, so the result would depend on timing.

```yaml
# both interfaces: import: {into: customers, …}
```

**Fix:** Write the table in one interface with two steps, or make one interface read what the other writes.
""",
    ),
    Code(
        "E420",
        "dependency cycle between interfaces",
        """
Each of these interfaces reads a table that another one of them writes.

```yaml
# a reads what b writes, and b reads what a writes
```

**Fix:** Remove one of the dependencies.
""",
    ),
    Code(
        "E421",
        "value inside quotes",
        """
A template value renders as a SQL value with its own quotes. Inside other quotes, inside a comment that it could end, or
next to a word, it would change meaning and could be read as SQL.

```sql
WHERE email = '{{ email }}'
```

**Fix:** Write `{{ email }}` on its own, surrounded by spaces. For the name of a column or table: `{{ name | ident }}`.
""",
    ),
    Code(
        "E422",
        "action not allowed for changed rows",
        """
A box over changed rows (`changed.customers`) returns only part of the table's content. `replace` would delete the
rest. `insert` into a table without a key would write rows twice whenever all rows count as changed, for example after
an edit of the box.

```yaml
import: {sql: SELECT id, email FROM changed.customers, action: replace}
```

**Fix:** Use `action: upsert`. To delete rows that no longer exist, add a second step: `action: delete` with
`SELECT id FROM changed.customers_all WHERE _deleted_at IS NOT NULL`. For a change log, give its table the key
`[id, changed_at]` and select `_changed_at AS changed_at`.
""",
    ),
    Code(
        "E423",
        "changed rows outside of an import",
        """
`changed.customers` returns the rows that changed since the step last read them. Only imports record what they have
read.

```yaml
- export: {sql: SELECT id FROM changed.customers, …}
```

**Fix:** Read the table itself, and filter by `_changed_at` if needed.
""",
    ),
    Code(
        "W401",
        "columns without a match in the table",
        """
With `map: auto`, columns of the box that have no column of the same name in the table are dropped.

```sql
SELECT id, emial FROM …   -- the table has `email`
```

**Fix:** Rename them with AS, remove them, or write a `map`.
""",
    ),
    Code(
        "W402",
        "SELECT * from a connection",
        """
All columns are read and stored, and a new API version changes the set of columns.

```sql
SELECT * FROM charges
```

**Fix:** List the columns.
""",
    ),
    Code(
        "W403",
        "non-deterministic box",
        """
The box calls a function such as `now()` or `random()`: two runs of the same plan give different results.

```sql
WHERE created > now() - INTERVAL 7 DAY
```

**Fix:** Use a parameter. `track: true` records when the last run started.
""",
    ),
    Code(
        "W404",
        "unused parameter",
        """
No box of the interface uses the parameter.

```yaml
parameters: {since: {type: timestamp}}
```

**Fix:** Use it, or delete it.
""",
    ),
)
