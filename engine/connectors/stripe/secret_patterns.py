"""The forms of Stripe's secrets. A publishable key (`pk_…`) is none: it stands in web pages."""

from __future__ import annotations

from typing import Final

from engine.connector import SecretPattern
from engine.connector.sandbox import SANDBOX_KEY

SECRET_PATTERNS: Final = (
    SecretPattern("API key", r"(?:sk|rk)_(?:live|test)_", public=frozenset({SANDBOX_KEY})),
    SecretPattern("organization API key", r"(?:sk|rk)_org_(?:(?:live|test)_)?", shortest=None),
    SecretPattern("ephemeral key", r"ek_(?:live|test)_", shortest=None),
    SecretPattern("webhook signing secret", r"whsec_", alphabet="A-Za-z0-9+/=_"),
    SecretPattern("session or client secret", r"(?:sess|rkcs)_", shortest=None),
)
