"""Nothing that looks like a key is ever shown, even in an excerpt of the user's own file; and what others say moves no
cursor."""

from __future__ import annotations

import re
import unicodedata

_KEY = re.compile(
    r"((?<![A-Za-z0-9])(?:(?:sk|rk|pk)_(?:live|test)_|whsec_|rkcs_|sess_)"
    r"|(?:sk|rk)_(?:live|test)_(?=[A-Za-z]*\d)(?=[A-Za-z0-9]{16}))[A-Za-z0-9_]{4,}"  # inside a longer word
)
_NAMED = re.compile(
    r"""((?:^|[\s{,"'])[\w-]*(?:secret|password|passwd|token|api_?key)[\w-]*["']?\s*[:=]\s*)(?![{\[&*|>]|null\b|~)(\S[^,}#]*)""",
    re.IGNORECASE,
)
_SECRET_PART = re.compile(r"secret|password|passwd|token|api_?key", re.IGNORECASE)
_KEPT = "sk_test_weir_sandbox"  # opens nothing but the embedded sandbox


def masked(text: str) -> str:
    """`text` with the secret part of every key replaced by as many `*` (so that columns stay where they are)."""
    return _KEY.sub(
        lambda match: match[0] if match[0] == _KEPT else match[1] + "*" * (len(match[0]) - len(match[1])), text
    )


def masked_line(line: str) -> str:
    """A line of a definition: also what stands behind a key such as `client_secret:` or `password:` is hidden."""
    named = _NAMED.sub(lambda match: match[1] + "*" * len(match[2].rstrip()) + " " * _blanks(match[2]), line)
    return masked(named)


def masked_parameter(path: str, text: str) -> str:
    """The value of a parameter of a write, such as `card[token]`: hidden where its last name says that it is secret."""
    last = path.rstrip("]").rpartition("[")[2]
    return "*" * len(text) if _SECRET_PART.search(last) else masked(text)


def visible(text: str) -> str:
    """Control characters as dots: what a row or a provider says moves no cursor."""
    return "".join("·" if unicodedata.category(letter) == "Cc" else letter for letter in text)


def _blanks(text: str) -> int:
    return len(text) - len(text.rstrip())
