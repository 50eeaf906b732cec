"""Ids in Stripe's format from a seeded random source."""

from __future__ import annotations

from random import Random
from typing import Final

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PAIRS: Final = tuple(a + b for a in ALPHABET for b in ALPHABET)
LENGTHS: Final = {"cus_": 14, "prod_": 14, "acct_": 16, "req_": 14, "si_": 14}
BARE: Final = frozenset({"coupon"})
"""Kinds whose generated ids have no prefix."""


def token(source: Random, length: int) -> str:
    """Random letters and digits of this length."""
    number, text = source.getrandbits(6 * (length + 1)), ""
    for _ in range((length + 1) // 2):
        text += PAIRS[(number & 4095) % 3844]
        number >>= 12
    return text[:length]


def identify(resource: str, prefix: str | None, source: Random) -> str:
    """A new id for an object of this kind; `prefix` ends in `_`."""
    if resource in BARE:
        return token(source, 8)
    if prefix is None:
        prefix = "".join(word[0] for word in resource.replace(".", "_").split("_")) + "_"
    return prefix + token(source, LENGTHS.get(prefix, 24))
