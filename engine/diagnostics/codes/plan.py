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
)
