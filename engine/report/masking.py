"""Nothing that looks like a key is ever shown, even in an excerpt of the user's own file."""

from __future__ import annotations

import re

_KEY = re.compile(r"\b((?:sk|rk|pk)_(?:live|test)_|whsec_|rkcs_|sess_)[A-Za-z0-9_]{4,}")
_KEPT = "sk_test_weir_sandbox"  # opens nothing but the embedded sandbox


def masked(text: str) -> str:
    """`text` with the secret part of every key replaced by as many `*` (so that columns stay where they are)."""
    return _KEY.sub(
        lambda match: match[0] if match[0] == _KEPT else match[1] + "*" * (len(match[0]) - len(match[1])), text
    )
