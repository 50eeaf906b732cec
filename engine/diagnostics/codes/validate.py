"""Codes E2xx: checking one definition."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E201",
        "unknown key",
        """
This kind of definition does not have the key. Weir rejects unknown keys, because a key that is silently ignored is a
setting that somebody relies on.

```yaml
kind: connection
name: stripe_main
is_actve: true
```

**Fix:** Correct the name (the hint suggests one). Put your own data under `meta`, or under a key that begins with
`x-`.
""",
    ),
    Code(
        "E202",
        "wrong type",
        """
The value has a type that the key does not accept: text instead of a number, a list instead of a mapping, or no value at
all.

```yaml
timeout_ms: "30000"
```

**Fix:** Write the type that the message expects. In YAML, `30000` is a number and `"30000"` is text; Weir does not
convert between them.
""",
    ),
    Code(
        "E203",
        "value not allowed",
        """
The key accepts a fixed set of values, and this is not one of them.

```yaml
action: upsrt
```

**Fix:** Use one of the values that the message lists.
""",
    ),
    Code(
        "E204",
        "missing key",
        """
A required key is missing.

```yaml
kind: connection
name: stripe_main
```

**Fix:** Add the key. `docs/reference/language.md` describes it.
""",
    ),
    Code(
        "E205",
        "wrong kind",
        """
The folder determines what a file defines: `connections/` holds `kind: connection`, `interfaces/` holds `kind:
interface`, `schemas/` holds `kind: schema`.

```yaml
# connections/customers.yaml
kind: schema
```

**Fix:** Move the file to the folder of its kind, or correct `kind`.
""",
    ),
    Code(
        "E206",
        "secret in plain text",
        """
`client_secret` takes a reference to a secret, never the secret itself. A secret that was committed stays in the Git
history.

```yaml
client_secret: sk_test_…
```

**Fix:** Write `client_secret: {env: STRIPE_SECRET_KEY}` (or `file`, `keyring`, `command`). If the key was ever
committed or shared, roll it.
""",
    ),
    Code(
        "E207",
        "text that looks like a key",
        """
The definition contains text in the format of a Stripe key or webhook secret. Keys are rejected everywhere, including in
comments of a SQL box.

```yaml
description: uses rk_live_…
```

**Fix:** Remove it, use a secret reference instead, and roll the key.
""",
    ),
    Code(
        "E208",
        "invalid name",
        """
Names are lower_snake: they begin with a letter, contain lower-case letters, digits and `_`, and have at most 63
characters. They are used as file names and SQL namespaces.

```yaml
name: Stripe-Main
```

**Fix:** Rename it; the hint suggests a name.
""",
    ),
    Code(
        "E209",
        "no SQL box, or two",
        """
A step that needs a SQL box has neither `sql` nor `sql_file`, or has both.

```yaml
transform: {into: customers}
```

**Fix:** Set exactly one of the two. Only an `import` may omit both: it uses the `sql` of its connection.
""",
    ),
    Code(
        "E210",
        "ambiguous step",
        """
A step has exactly one action, and a name that is unique within the interface.

```yaml
steps:
  - name: load
    on_error: stop
```

**Fix:** Add one of `import`, `transform`, `export`, `call`, `stop_if`, `respond`. Split a step that has two; rename a
step whose name is taken.
""",
    ),
    Code(
        "E211",
        "unknown column type",
        """
Types are text, integer, decimal(p,s), float, boolean, date, timestamp, json, or one of these with `[]`.

```yaml
columns:
  amount: money
  total: {type: decimal(18,2)}   # the comma ends the value: quote it
```

**Fix:** Use one of the types. Inside braces, quote a decimal: `{type: "decimal(18,2)"}`.
""",
    ),
    Code(
        "E212",
        "key names no column",
        """
The `key` of a table lists columns of that table, each once.

```yaml
columns: {id: text}
key: [customer_id]
```

**Fix:** Name an existing column, or add the column.
""",
    ),
    Code(
        "E213",
        "invalid duration or schedule",
        """
A duration is a whole number followed by `ms`, `s`, `m`, `h` or `d`. A schedule has either `every` or `cron`: a cron
expression with five fields that matches at least one date, in a time zone of the IANA database.

```yaml
schedule: {every: 15 minutes}
```

**Fix:** Write `15m`.
""",
    ),
    Code(
        "E214",
        "address without encryption",
        """
Plain http would expose the secret in transit. It is allowed for this machine only.

```yaml
base_url: http://stripe.example.com
```

**Fix:** Use https.
""",
    ),
    Code(
        "E215",
        "invalid address",
        """
`base_url` is an http or https URL with a host, or the word `sandbox` if the embedded sandbox simulates the connector's
provider.

```yaml
base_url: api.stripe.com
```

**Fix:** Write the full URL, or delete the line to use the provider's own address.
""",
    ),
    Code(
        "E216",
        "out of bounds",
        """
A number, a text or a list is too small or too large.

```yaml
timeout_ms: 5
```

**Fix:** Stay within the bounds that the message gives.
""",
    ),
    Code(
        "E217",
        "not a definition",
        """
The file is empty, or its top level is not a mapping.

```yaml
- kind: connection
```

**Fix:** Write one definition, starting with `kind:`.
""",
    ),
    Code(
        "E218",
        "invalid value",
        """
The value has the right type but is not valid; the message states what was expected.

```yaml
map:
  name: {from: name, expr: "upper(name)"}
```

**Fix:** Follow the message.
""",
    ),
    Code(
        "E219",
        "ambiguous secret reference",
        """
A secret reference has exactly one of `env`, `file`, `keyring`, `command`.

```yaml
client_secret: {}
```

**Fix:** Name the one place that holds the secret.
""",
    ),
)
