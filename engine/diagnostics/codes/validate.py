"""Codes E2xx: checking one definition."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E201",
        "unknown key",
        """
A key that this kind of definition does not know. Weir refuses unknown keys, because a key that is silently ignored
is a setting that somebody believes in.

```yaml
kind: connection
name: stripe_main
is_actve: true
```

**Mend it:** Correct the name (the finding proposes one), or put your own data under `meta` or a key that begins
with `x-`.
""",
    ),
    Code(
        "E202",
        "wrong type",
        """
A value of another type than the key takes: text where a number belongs, a list where a mapping belongs, nothing at
all.

```yaml
timeout_ms: "30000"
```

**Mend it:** Write what the finding expects. YAML reads `30000` as a number and `"30000"` as text; Weir does not
convert.
""",
    ),
    Code(
        "E203",
        "value not allowed",
        """
The key takes one of a few words, and this is none of them.

```yaml
action: upsrt
```

**Mend it:** Use one of the words that the finding lists.
""",
    ),
    Code(
        "E204",
        "missing key",
        """
A key that this definition must have is not there.

```yaml
kind: connection
name: stripe_main
```

**Mend it:** Add the key. `docs/reference/language.md` says what it means.
""",
    ),
    Code(
        "E205",
        "wrong kind",
        """
The folder decides what a file defines: `connections/` holds `kind: connection`, `interfaces/` holds `kind:
interface`, `schemas/` holds `kind: schema`.

```yaml
# connections/customers.yaml
kind: schema
```

**Mend it:** Move the file to the folder of its kind, or correct `kind`.
""",
    ),
    Code(
        "E206",
        "secret in plain text",
        """
`client_secret` takes a reference to a secret, never the secret. What is in Git stays in its history.

```yaml
client_secret: sk_test_…
```

**Mend it:** Write `client_secret: {env: STRIPE_SECRET_KEY}` (or `file`, `keyring`, `command`). If the key was ever
committed or sent to anybody, roll it.
""",
    ),
    Code(
        "E207",
        "text that looks like a key",
        """
Somewhere in the definition stands a text of the form of a Stripe key or webhook secret. Keys are refused
everywhere, in comments of a SQL box too.

```yaml
description: uses rk_live_…
```

**Mend it:** Take it out, refer to it where it is needed, and roll it.
""",
    ),
    Code(
        "E208",
        "bad name",
        """
Names are lower_snake: they begin with a letter, hold lower-case letters, digits and `_`, and have at most 63
characters. They become names of files and SQL namespaces.

```yaml
name: Stripe-Main
```

**Mend it:** Rename it; the finding proposes a name.
""",
    ),
    Code(
        "E209",
        "no SQL box, or two",
        """
A step that needs a SQL box has neither `sql` nor `sql_file`, or it has both.

```yaml
transform: {into: customers}
```

**Mend it:** Give one of the two. Only an `import` may go without: it takes its connection's `sql`.
""",
    ),
    Code(
        "E210",
        "unclear step",
        """
A step does exactly one thing, and its name is its own within the interface.

```yaml
steps:
  - name: load
    on_error: stop
```

**Mend it:** Give it one of `import`, `transform`, `export`, `call`, `stop_if`, `respond`; split a step that has
two; rename one of two equal names.
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

**Mend it:** Use one of the types. Inside braces, put a decimal in quotes: `{type: "decimal(18,2)"}`.
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

**Mend it:** Name a column that exists, or add it.
""",
    ),
    Code(
        "E213",
        "bad duration or schedule",
        """
A duration is a whole number and `ms`, `s`, `m`, `h` or `d`. A schedule has either `every` or `cron`:
a cron expression of five fields that comes true now and then, in a time zone that is known by its name.

```yaml
schedule: {every: 15 minutes}
```

**Mend it:** Write `15m`.
""",
    ),
    Code(
        "E214",
        "address without encryption",
        """
Over plain http the secret could be read on the way. It is allowed to this machine only.

```yaml
base_url: http://stripe.example.com
```

**Mend it:** Use https.
""",
    ),
    Code(
        "E215",
        "bad address",
        """
`base_url` is an address with http or https and a host, or the word `sandbox` where the embedded sandbox simulates the
connector's provider.

```yaml
base_url: api.stripe.com
```

**Mend it:** Write the whole address, or delete the line: without it the provider's own address is used.
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

**Mend it:** Stay within the bounds that the finding gives.
""",
    ),
    Code(
        "E217",
        "not a definition",
        """
The file is empty, or holds something else than a mapping of keys to values.

```yaml
- kind: connection
```

**Mend it:** A file holds one definition, beginning with `kind:`.
""",
    ),
    Code(
        "E218",
        "invalid value",
        """
The value has the right type and cannot be used all the same; the finding says what was expected.

```yaml
map:
  name: {from: name, expr: "upper(name)"}
```

**Mend it:** Follow the finding.
""",
    ),
    Code(
        "E219",
        "unclear secret reference",
        """
A reference to a secret has exactly one of `env`, `file`, `keyring`, `command`.

```yaml
client_secret: {}
```

**Mend it:** Name the one place where the secret is.
""",
    ),
)
