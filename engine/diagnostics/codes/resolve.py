"""Codes E3xx: linking definitions."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E301",
        "unknown connection",
        """
A step or a test case names a connection that no file in `connections/` defines.

```yaml
import: {connection: strip, into: customers}
```

**Fix:** Correct the name, or define the connection.
""",
    ),
    Code(
        "E302",
        "unknown table",
        """
A step or a test case names a table that no file in `schemas/` defines.

```yaml
import: {connection: stripe_main, into: custmers}
```

**Fix:** Correct the name, or define the table (`weir new schema`).
""",
    ),
    Code(
        "E303",
        "name defined twice",
        """
Two definitions of one kind have the same name. The check continues with the first one, in order of file names.

```yaml
# connections/a.yaml and connections/b.yaml
name: stripe_main
```

**Fix:** Rename one of them, or delete it.
""",
    ),
    Code(
        "E304",
        "connection is not a source",
        """
An `import` reads a connection whose `is_source` is not true.

```yaml
is_source: false
```

**Fix:** Set `is_source: true` on the connection if it is meant to be read.
""",
    ),
    Code(
        "E305",
        "connection is not a target",
        """
An `export` or `call` writes to a connection whose `is_target` is not true.

```yaml
is_target: false
```

**Fix:** Set `is_target: true` on the connection if it is meant to be written to. Reviewers look for this line.
""",
    ),
    Code(
        "E306",
        "unknown connector",
        """
No connector with this name is installed.

```yaml
connector: strpe
```

**Fix:** Correct the name; `weir connectors` lists the installed connectors.
""",
    ),
    Code(
        "E307",
        "unknown agent",
        """
`agent` is `local` or a name under `agents:` in weir.yaml.

```yaml
agent: build_7
```

**Fix:** Add the agent to weir.yaml, or use `local`.
""",
    ),
    Code(
        "E309",
        "SQL file not found",
        """
The file that `sql_file` names does not exist. The path is relative to the interface's file.

```yaml
sql_file: boxes/customers.sql
```

**Fix:** Correct the path, or create the file.
""",
    ),
    Code(
        "E310",
        "import without SQL",
        """
An `import` without `sql` uses the SQL box of its connection, and this connection has none.

```yaml
import: {connection: stripe_main, into: customers}
```

**Fix:** Add `sql` or `sql_file` to the step, or `sql` to the connection.
""",
    ),
    Code(
        "E311",
        "unknown API version",
        """
The connector has no catalogue for this version of the provider's API, so the tables and columns are unknown.

```yaml
api_version: "2019-01-01"
```

**Fix:** Delete the line, or use a version that the hint lists.
""",
    ),
    Code(
        "E312",
        "reserved name",
        """
SQL boxes reach a connection's tables as `connection.table`. `schema` is the namespace of the Schema, and a few other
names are reserved by DuckDB.

```yaml
name: schema
```

**Fix:** Rename the connection.
""",
    ),
    Code(
        "E313",
        "unknown table in a connection's settings",
        """
`reread` and `optional` name tables of the connector, and it has no table with this name.

```yaml
optional: [revews]
```

**Fix:** Use a table name that `weir catalog` lists.
""",
    ),
    Code(
        "E314",
        "test cases of an unknown interface",
        """
A file with test cases belongs to the interface that it names, or that its file name names. No interface has this name.

```yaml
# interfaces/paymnts.test.yaml
kind: test
```

**Fix:** Correct the file name, or name the interface with `interface:`.
""",
    ),
    Code(
        "E315",
        "unknown connection table in a test case",
        """
A test case gives rows for a table that the connection's catalogue does not have.

```yaml
given: {stripe_main: {charge: [{id: ch_1}]}}
```

**Fix:** Use a table name that `weir catalog` lists.
""",
    ),
    Code(
        "E316",
        "unknown column in a test case",
        """
A row of a test case names a column that its table, or the result of `respond`, does not have. Columns that begin with
`_` are set by the run; of these, a test case can set only `_account` and `_livemode`.

```yaml
given: {stripe_main: {charges: [{id: ch_1, amuont: 1000}]}}
```

**Fix:** Correct the name; `weir catalog charges` lists the columns of a provider's table.
""",
    ),
    Code(
        "E317",
        "unknown step in a test case",
        """
A test case expects output from a step that does not exist, or that does not produce this kind of output: only exports
and calls write to a provider, and only `respond` returns an answer.

```yaml
expect: {writes: {psuh: []}}
```

**Fix:** Use the name of a step of the interface.
""",
    ),
    Code(
        "E318",
        "type mismatch in a test case",
        """
A value does not have the type of its column. Write timestamps as RFC 3339 text with an offset, or as Unix seconds;
decimals as numbers or text; maps such as `metadata` as mappings from text to text.

```yaml
given: {stripe_main: {charges: [{id: ch_1, amount: "10.00"}]}}
```

**Fix:** Write a value of the type that the message names.
""",
    ),
    Code(
        "E319",
        "unknown parameter in a test case",
        """
A test case sets a parameter that its interface does not declare.

```yaml
parameters: {sinec: "2026-01-01T00:00:00Z"}
```

**Fix:** Correct the name, or declare the parameter.
""",
    ),
    Code(
        "E320",
        "duplicate test case name",
        """
Two test cases of an interface have the same name, so a report cannot identify the one that failed.

```yaml
cases:
  - name: a refund counts
  - name: a refund counts
```

**Fix:** Rename one of them, or delete it.
""",
    ),
    Code(
        "E321",
        "invalid row in a test case",
        """
An input row lacks its key or a required column, or has the same key as an earlier row.

```yaml
given: {stripe_main: {charges: [{amount: 1000}]}}
```

**Fix:** Set every column of the key, and use each key once.
""",
    ),
    Code(
        "W301",
        "inactive connection",
        """
A step uses a connection whose `is_active` is false. The step is checked, but every run skips it.

```yaml
is_active: false
```

**Fix:** None if this is intended. Otherwise set `is_active: true`.
""",
    ),
    Code(
        "W302",
        "unused connection",
        """
No step uses this connection, and it has no SQL box of its own to query.

```yaml
name: stripe_old
```

**Fix:** Delete it, or use it.
""",
    ),
    Code(
        "W303",
        "unused table",
        """
No step writes or reads this table.

```yaml
kind: schema
name: customers_old
```

**Fix:** Delete it, or import rows into it.
""",
    ),
    Code(
        "W304",
        "setting without effect",
        """
The connection sets a field that its connector does not use.

```yaml
connector: stripe
datetime_format: yyyy-MM-dd
```

**Fix:** Delete the line. Stripe's timestamps are Unix seconds and need no format.
""",
    ),
    Code(
        "W305",
        "unused SQL file",
        """
No step refers to this `.sql` file.

```yaml
# interfaces/old.sql
```

**Fix:** Delete it, or refer to it with `sql_file`.
""",
    ),
)
