"""Codes E5xx: planning."""

from .code import Code

CODES: tuple[Code, ...] = (
    Code(
        "E501",
        "unknown interface",
        """
A command names an interface that the project does not have. Names may hold `*` and `?`.

```console
$ weir run custmers
```

**Mend it:** Correct the name; `weir plan` lists all interfaces.
""",
    ),
    Code(
        "E502",
        "parameter without a value",
        """
An interface has a parameter without a default, and none was given.

```yaml
parameters: {since: {type: timestamp}}
```

**Mend it:** Give it one, `weir run NAME --param since=2026-01-01T00:00:00Z`, or declare a default.
""",
    ),
)
