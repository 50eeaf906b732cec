"""What looks like a secret: one policy for every part of Weir that searches for secrets, masks them or removes them.

Weir knows the form of its own API tokens. Each connector contributes the forms of its provider's secrets
(`Connector.secret_patterns`), so that a form that one part knows is known to all: see `installed.secret_policy`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

MASK: Final = "***"
"""What stands in place of a secret that is removed."""

_INSIDE: Final = 16
_NAMES: Final = r"secret|password|passwd|token|api_?key"
_NAME: Final = re.compile(_NAMES, re.IGNORECASE)
_ASSIGNED: Final = re.compile(
    rf"""((?:^|[\s{{,"'])[\w-]*(?:{_NAMES})[\w-]*["']?\s*[:=]\s*)(?![{{\[&*|>]|null\b|~)(\S[^,}}#]*)""", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class SecretPattern:
    """The form of one kind of secret: `prefix`, then characters of `alphabet`.

    `prefix` is a regular expression without capturing groups, `alphabet` the inside of a character class. A secret is
    recognised at the beginning of a word when at least `shortest` characters follow its prefix, and anywhere when 16
    letters and digits follow, a digit among them. With `shortest` None only the second rule counts: for prefixes that
    names of columns may have as well. `public` are texts of this form that are no secrets.
    """

    kind: str
    prefix: str
    alphabet: str = "A-Za-z0-9_"
    shortest: int | None = 8
    public: frozenset[str] = frozenset()

    @property
    def expressions(self) -> tuple[str, ...]:
        """Regular expressions with one group each, the prefix."""
        characters, unbroken = f"[{self.alphabet}]", f"[{self.alphabet.replace('_', '')}]"
        anywhere = rf"({self.prefix})(?={unbroken}{{{_INSIDE}}})(?={unbroken}{{0,64}}[0-9]){characters}+"
        if self.shortest is None:
            return (anywhere,)
        return (rf"(?<![A-Za-z0-9])({self.prefix}){characters}{{{self.shortest},}}", anywhere)


OWN_TOKENS: Final = SecretPattern("Weir API token", r"weir_[0-9a-f]{12}_", alphabet="0-9a-f", shortest=6)
"""The tokens of Weir's HTTP API."""


@dataclass(frozen=True, slots=True)
class FoundSecret:
    """A secret in a text: its half-open range of code points, and where the part behind its prefix begins."""

    start: int
    confidential: int
    end: int


class SecretPolicy:
    """The forms of secrets, compiled. Immutable; threads may share it."""

    __slots__ = ("_form", "_public")

    def __init__(self, patterns: Iterable[SecretPattern]) -> None:
        listed = tuple(patterns)
        self._public = frozenset(text for each in listed for text in each.public)
        self._form = re.compile("|".join(form for each in listed for form in each.expressions))

    def find(self, text: str) -> Iterator[FoundSecret]:
        """The secrets in `text`, in order."""
        for match in self._form.finditer(text):
            if match[0] not in self._public:
                yield FoundSecret(match.start(), match.end(match.lastindex or 0), match.end())

    def holds(self, text: str) -> bool:
        """Whether `text` contains a secret."""
        return next(self.find(text), None) is not None

    def mask(self, text: str) -> str:
        """`text` with `*` for each character of a secret behind its prefix: columns stay where they are."""
        return self._replaced(text, lambda found: (found.confidential, "*" * (found.end - found.confidential)))

    def mask_line(self, line: str) -> str:
        """A line of a definition, masked. What is assigned to a name such as `client_secret` or `password` is a secret
        whatever its form."""
        return self.mask(_ASSIGNED.sub(_masked_assignment, line))

    def redact(self, text: str) -> str:
        """`text` with `***` in place of each secret, prefix included."""
        return self._replaced(text, lambda found: (found.start, MASK))

    def _replaced(self, text: str, replace: Callable[[FoundSecret], tuple[int, str]]) -> str:
        """`text` with all secrets replaced: also one that begins a word only once the secret before it is gone."""
        while secrets := tuple(self.find(text)):
            parts, end = [], 0
            for found in secrets:
                start, replacement = replace(found)
                parts += [text[end:start], replacement]
                end = found.end
            cleaned = "".join((*parts, text[end:]))
            if cleaned == text:  # a form that contains its own replacement
                break
            text = cleaned
        return text


def names_secret(name: str) -> bool:
    """Whether a field or a parameter of this name holds a secret ("client_secret", "apiKey")."""
    return _NAME.search(name) is not None


def _masked_assignment(match: re.Match[str]) -> str:
    value = match[2]
    shown = value.rstrip()
    return match[1] + "*" * len(shown) + " " * (len(value) - len(shown))
