"""Codes E4xx: compiling steps and SQL boxes."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E401",
        "SQL syntax error",
        """
A SQL box is not valid SQL (DuckDB's dialect).

```sql
SELECT id FORM customers
```

**Mend it:** Look at the marked place. `weir query CONNECTION "SELECT …"` tries a box.
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

**Mend it:** Correct the name. `weir catalog` lists the tables of Stripe; `schema.customers` reaches the Schema
where a connection has a table of the same name.
""",
    ),
    Code(
        "E403",
        "unknown column in SQL",
        """
A box names a column that its tables do not have. This is known before any request is sent.

```sql
SELECT emial FROM customers
```

**Mend it:** Correct the name. `weir catalog customers` lists the columns.
""",
    ),
    Code(
        "E404",
        "unknown function in SQL",
        """
A box calls a function that DuckDB does not have, or one that boxes may not use.

```sql
SELECT upcase(email) FROM customers
```

**Mend it:** Use a function of DuckDB's SQL. Functions that read files, networks or settings are out of reach.
""",
    ),
    Code(
        "E405",
        "types do not fit in SQL",
        """
An operator or function in a box does not take values of these types.

```sql
SELECT created + email FROM customers
```

**Mend it:** Convert one side: `CAST(x AS …)`.
""",
    ),
    Code(
        "E406",
        "more than one statement",
        """
A box holds exactly one SELECT.

```sql
SELECT 1; SELECT 2
```

**Mend it:** Use two steps, or one SELECT with WITH or UNION.
""",
    ),
    Code(
        "E407",
        "not a SELECT",
        """
A box reads. Anything that writes, sets, attaches or loads is refused, also inside a WITH.

```sql
DELETE FROM customers
```

**Mend it:** Write a SELECT; what is done with its rows is the step's `action`.
""",
    ),
    Code(
        "E408",
        "SQL does not bind",
        """
DuckDB refuses the box for another reason; the message is its own.

```sql
SELECT id, count(*) FROM customers
```

**Mend it:** Follow the message.
""",
    ),
    Code(
        "E409",
        "template error",
        """
The Jinja2 template of a box does not render. Templates are sandboxed: no attributes of objects, no files, no long
loops.

```sql
SELECT {{ since
```

**Mend it:** Look at the marked place; `docs/reference/templates.md` lists what templates can do.
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

**Mend it:** Correct the name, or declare it under `parameters:`.
""",
    ),
    Code(
        "E411",
        "unknown column of the box",
        """
A `map` or `match` names a column that the box does not yield.

```yaml
map: {email: e_mail}
```

**Mend it:** Correct the name, or let the box yield it.
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

**Mend it:** Correct the name, or add the column to the table.
""",
    ),
    Code(
        "E413",
        "type never fits",
        """
No value of the box's column can go into the table's column.

```yaml
columns: {created_at: boolean}
```

**Mend it:** Convert it in the SQL box, or change the type of the table's column.
""",
    ),
    Code(
        "E414",
        "required column without a value",
        """
The table has a required column that this import gives no value.

```yaml
columns: {id: {type: text, required: true}}
```

**Mend it:** Map it, or give it a default.
""",
    ),
    Code(
        "E415",
        "nothing to match by",
        """
`update`, `delete` and `upsert` must know which rows are the same, and neither a `match` nor the table's `key`
tells.

```yaml
action: upsert
```

**Mend it:** Give the table a `key` whose columns the box yields, or the step a `match`.
""",
    ),
    Code(
        "E416",
        "not a test",
        """
`stop_if` takes a query with exactly one boolean column.

```yaml
stop_if: SELECT count(*) FROM customers
```

**Mend it:** Compare: `SELECT count(*) = 0 FROM customers`.
""",
    ),
    Code(
        "E417",
        "column twice",
        """
A box yields two columns of one name (case does not count).

```sql
SELECT c.id, i.id FROM customers c JOIN invoices i ON i.customer = c.id
```

**Mend it:** Rename one with AS.
""",
    ),
    Code(
        "E418",
        "value of the wrong type",
        """
A default or a given value does not fit the type of its parameter or column.

```yaml
parameters: {since: {type: timestamp, default: yesterday}}
```

**Mend it:** Write a value of the type. Instants look like `2026-01-31T12:00:00Z`.
""",
    ),
    Code(
        "E419",
        "two writers without an order",
        """
Two interfaces write one table and neither waits for the other, so the result would depend on chance.

```yaml
# both interfaces: import: {into: customers, …}
```

**Mend it:** Write the table in one interface with two steps, or let one interface read what the other writes.
""",
    ),
    Code(
        "E420",
        "interfaces wait for each other",
        """
Each of these interfaces reads a table that another of them fills.

```yaml
# a reads what b writes, and b reads what a writes
```

**Mend it:** Let one of them stop reading the other's table.
""",
    ),
    Code(
        "E421",
        "value inside quotes",
        """
A value of a template is a SQL value with quotes of its own. Inside other quotes, inside a comment that it would end, or
joined to a word, it would mean something else, up to being read as SQL.

```sql
WHERE email = '{{ email }}'
```

**Mend it:** Write `{{ email }}` alone, with space around it. For a name of a column or table: `{{ name | ident }}`.
""",
    ),
    Code(
        "E422",
        "changed rows cannot be written so",
        """
A box of changed rows (`changed.customers`) yields a part of what the table holds. `replace` would delete all the rest.
`insert` into a table without a key would write rows a second time whenever all rows count as changed again, as they do
after an edit of the box.

```yaml
import: {sql: SELECT id, email FROM changed.customers, action: replace}
```

**Mend it:** `action: upsert`. To take rows out that are gone, use a second step: `action: delete` with
`SELECT id FROM changed.customers_all WHERE _deleted_at IS NOT NULL`. For a log of changes, give its table the key
`[id, changed_at]` and let the box yield `_changed_at AS changed_at`.
""",
    ),
    Code(
        "E423",
        "changed rows outside of an import",
        """
`changed.customers` means the rows that have changed since this step has seen them, and only imports remember what they
have seen.

```yaml
- export: {sql: SELECT id FROM changed.customers, …}
```

**Mend it:** Read the table itself, and filter by `_changed_at` if need be.
""",
    ),
    Code(
        "W401",
        "columns that the table does not take",
        """
With `map: auto`, columns of the box that have no equal in the table are dropped.

```sql
SELECT id, emial FROM …   -- the table has `email`
```

**Mend it:** Rename them with AS, leave them out, or write a `map`.
""",
    ),
    Code(
        "W402",
        "SELECT * from a connection",
        """
All columns are read and kept, and a new API version changes them.

```sql
SELECT * FROM charges
```

**Mend it:** Name the columns.
""",
    ),
    Code(
        "W403",
        "box with time or chance",
        """
The box calls a function such as `now()` or `random()`: two runs of the same plan differ.

```sql
WHERE created > now() - INTERVAL 7 DAY
```

**Mend it:** Use a parameter. `track: true` remembers when the last run started.
""",
    ),
    Code(
        "W404",
        "unused parameter",
        """
No box of the interface mentions the parameter.

```yaml
parameters: {since: {type: timestamp}}
```

**Mend it:** Use it, or delete it.
""",
    ),
)
