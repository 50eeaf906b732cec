"""Codes E3xx: linking definitions."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E301",
        "unknown connection",
        """
A step names a connection that no file in `connections/` defines.

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
A step names a table that no file in `schemas/` defines.

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
