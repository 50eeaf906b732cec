"""Codes E5xx: planning."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E501",
        "unknown interface",
        """
A command names an interface that the project does not have. Names may contain the wildcards `*` and `?`.

```console
$ weir run custmers
```

**Fix:** Correct the name; `weir plan` lists all interfaces.
""",
    ),
    Code(
        "E502",
        "parameter without a value",
        """
A parameter of the interface has no default, and no value was passed.

```yaml
parameters: {since: {type: timestamp}}
```

**Fix:** Pass a value, `weir run NAME --param since=2026-01-01T00:00:00Z`, or declare a default.
""",
    ),
)
