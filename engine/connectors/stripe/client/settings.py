"""How a connection reaches Stripe, read from the JSON that travels with a stage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, cast

from engine.connector import Failure, FailureKind, Secret
from engine.connector.secrets import resolve_secret

API: Final = "https://api.stripe.com"
_KEY: Final = re.compile(r"(sk|rk|pk)_(test|live)_\S+")
_KEY_KINDS: Final = {"sk": "secret key", "rk": "restricted key", "pk": "publishable key"}

Mode = Literal["test", "live"]


@dataclass(frozen=True, slots=True)
class Settings:
    """A connection's settings. JSON names are the same; what is missing or null has the default.

    `secret` is a reference (kind, argument); `base` the folder that a relative `file` starts from. `timeout_ms` is for
    a whole request. `mode` None: the key's own. `requests_per_second` None: see `allowance`.
    """

    api_version: str
    secret: tuple[str, str]
    base_url: str = API
    timeout_ms: int = 30_000
    mode: Mode | None = None
    requests_per_second: float | None = None
    concurrency: int = 64
    base: Path | None = None

    @classmethod
    def of(cls, config: Mapping[str, object], api_version: str) -> Settings:
        """Read `config`; `api_version` is used where it names none."""
        given = {name: value for name, value in config.items() if value is not None}
        kind, argument = cast("tuple[str, str]", given["secret"])
        base, rate = given.get("base"), given.get("requests_per_second")
        return cls(
            api_version=str(given.get("api_version", api_version)),
            secret=(kind, argument),
            base_url=str(given.get("base_url", API)).rstrip("/"),
            timeout_ms=int(cast("int", given.get("timeout_ms", 30_000))),
            mode=cast("Mode | None", given.get("mode")),
            requests_per_second=float(cast("float", rate)) if rate is not None else None,
            concurrency=int(cast("int", given.get("concurrency", 64))),
            base=Path(str(base)) if base is not None else None,
        )

    @property
    def secret_place(self) -> str:
        """Where the key is configured, in words, for hints."""
        kind, argument = self.secret
        words = {"env": "environment variable", "file": "file", "keyring": "keyring entry"}
        return f"the {words[kind]} `{argument}`" if kind in words else f"what `client_secret` ({kind}) gives"


@dataclass(frozen=True, slots=True)
class Key:
    """A key, with its kind as text and its mode (None where its form does not show one)."""

    secret: Secret
    kind: str
    mode: Mode | None


def open_key(settings: Settings, environment: Mapping[str, str]) -> Key | Failure:
    """The connection's key, or why it cannot be used: no secret, a key for browsers, or one of another mode."""
    secret = resolve_secret(*settings.secret, environment, base=settings.base)
    if isinstance(secret, Failure):
        return secret
    match = _KEY.fullmatch(secret.reveal())
    if match is None:
        return Key(secret, "key", settings.mode)
    if match[1] == "pk":
        return Failure(
            FailureKind.KEY,
            "this is a publishable key, which cannot read",
            f"put a secret (`sk_…`) or restricted (`rk_…`) key into {settings.secret_place}",
        )
    mode = cast("Mode", match[2])
    if settings.mode is not None and settings.mode != mode:
        return Failure(
            FailureKind.KEY,
            f"the key is a {mode} mode key, but the connection has `mode: {settings.mode}`",
            f"put a {settings.mode} mode key into {settings.secret_place}, or change `mode`",
        )
    return Key(secret, _KEY_KINDS[match[1]], mode)
