"""Codes E3xx: linking definitions."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E301",
        "unknown connection",
        """
A step or a case names a connection that no file in `connections/` defines.

```yaml
import: {connection: strip, into: customers}
```

**Mend it:** Correct the name, or define the connection.
""",
    ),
    Code(
        "E302",
        "unknown table",
        """
A step or a case names a table that no file in `schemas/` defines.

```yaml
import: {connection: stripe_main, into: custmers}
```

**Mend it:** Correct the name, or define the table (`weir new schema`).
""",
    ),
    Code(
        "E303",
        "name defined twice",
        """
Two definitions of one kind have the same name. The first one (in order of file) is used for the rest of the check.

```yaml
# connections/a.yaml and connections/b.yaml
name: stripe_main
```

**Mend it:** Rename one of them, or delete it.
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

**Mend it:** Set `is_source: true` on the connection, if reading it is meant.
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

**Mend it:** Set `is_target: true` on the connection, if writing to it is meant. Reviewers look for exactly this
line.
""",
    ),
    Code(
        "E306",
        "unknown connector",
        """
No connector of this name is installed.

```yaml
connector: strpe
```

**Mend it:** Correct the name; `weir connectors` lists what is installed.
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

**Mend it:** Name the agent in weir.yaml, or use `local`.
""",
    ),
    Code(
        "E309",
        "SQL file not found",
        """
`sql_file` names a file that is not there. The path is relative to the file of the interface.

```yaml
sql_file: boxes/customers.sql
```

**Mend it:** Correct the path, or create the file.
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

**Mend it:** Give the step a `sql` or `sql_file`, or the connection a `sql`.
""",
    ),
    Code(
        "E311",
        "unknown API version",
        """
The connector has no catalogue of this version of the provider's API, so it cannot say what the tables hold.

```yaml
api_version: "2019-01-01"
```

**Mend it:** Delete the line, or write the version that the hint names.
""",
    ),
    Code(
        "E312",
        "reserved name",
        """
SQL boxes reach a connection's tables as `connection.table`. `schema` is how they reach the Schema, and a few other
names
belong to DuckDB.

```yaml
name: schema
```

**Mend it:** Give the connection another name.
""",
    ),
    Code(
        "E313",
        "unknown table in a connection's settings",
        """
`reread` and `optional` speak of single tables, and the connector has none of this name.

```yaml
optional: [revews]
```

**Mend it:** Write the table's name as `weir catalog` lists it.
""",
    ),
    Code(
        "E314",
        "cases of an unknown interface",
        """
A file with cases is about the interface that it names, or that it is named after, and there is none of this name.

```yaml
# interfaces/paymnts.test.yaml
kind: test
```

**Mend it:** Correct the name of the file, or name the interface with `interface:`.
""",
    ),
    Code(
        "E315",
        "unknown table of a connection in a case",
        """
A case gives rows of a table that the catalogue of the connection does not have.

```yaml
given: {stripe_main: {charge: [{id: ch_1}]}}
```

**Mend it:** Write the table's name as `weir catalog` lists it.
""",
    ),
    Code(
        "E316",
        "unknown column in a case",
        """
A row of a case names a column that its table, or what `respond` yields, does not have. Columns whose names begin with
`_` are set by the run; of these only `_account` and `_livemode` can be given.

```yaml
given: {stripe_main: {charges: [{id: ch_1, amuont: 1000}]}}
```

**Mend it:** Correct the name; `weir catalog charges` lists the columns of a provider's table.
""",
    ),
    Code(
        "E317",
        "unknown step in a case",
        """
A case expects something of a step that the interface does not have, or that does not do such a thing: only exports and
calls write to a provider, and only `respond` answers.

```yaml
expect: {writes: {psuh: []}}
```

**Mend it:** Write the step's name as the interface has it.
""",
    ),
    Code(
        "E318",
        "value that does not fit in a case",
        """
A value of a row is not of its column's type. Instants of a case are RFC 3339 texts with their offset, or Unix seconds;
decimals are numbers or texts; maps, such as `metadata`, are mappings of text to text.

```yaml
given: {stripe_main: {charges: [{id: ch_1, amount: "10.00"}]}}
```

**Mend it:** Write a value of the type that the message names.
""",
    ),
    Code(
        "E319",
        "unknown parameter in a case",
        """
A case gives a parameter that its interface does not declare.

```yaml
parameters: {sinec: "2026-01-01T00:00:00Z"}
```

**Mend it:** Correct the name, or declare the parameter.
""",
    ),
    Code(
        "E320",
        "two cases with one name",
        """
Two cases of an interface have the same name, so nobody can tell which one has failed.

```yaml
cases:
  - name: a refund counts
  - name: a refund counts
```

**Mend it:** Rename one of them, or delete it.
""",
    ),
    Code(
        "E321",
        "row of a case that cannot be there",
        """
A given row lacks its key or a column that its table requires, or has the key of a row before it.

```yaml
given: {stripe_main: {charges: [{amount: 1000}]}}
```

**Mend it:** Give the row all of its key, and each row a key of its own.
""",
    ),
    Code(
        "W301",
        "inactive connection",
        """
A step uses a connection whose `is_active` is false. It is checked, and skipped in every run.

```yaml
is_active: false
```

**Mend it:** Nothing, if that is meant. Otherwise set `is_active: true`.
""",
    ),
    Code(
        "W302",
        "unused connection",
        """
No step uses this connection, and it has no SQL box of its own to be queried with.

```yaml
name: stripe_old
```

**Mend it:** Delete it, or use it.
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

**Mend it:** Delete it, or import something into it.
""",
    ),
    Code(
        "W304",
        "setting without effect",
        """
The connection sets a field of the form that its connector does not use.

```yaml
connector: stripe
datetime_format: yyyy-MM-dd
```

**Mend it:** Delete the line. Stripe's instants are Unix seconds, so no format is needed.
""",
    ),
    Code(
        "W305",
        "unused SQL file",
        """
No step names this `.sql` file.

```yaml
# interfaces/old.sql
```

**Mend it:** Delete it, or name it in a `sql_file`.
""",
    ),
)
