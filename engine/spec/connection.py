"""`kind: connection`: a system that Weir reaches. Field names follow the admin form that teams migrate from."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from engine.connector.installed import DEFAULT_CONNECTOR
from engine.connector.sandbox import SANDBOX

from .base import Definition, Duration, Model, Name, Sql, as_tuple

_ACCOUNT = r"^acct_[A-Za-z0-9]+$"


class SecretSpec(Model):
    """Where a secret is found. Exactly one of the keys; the value itself never stands in a definition."""

    env: str | None = Field(None, min_length=1, description="The name of an environment variable.")
    file: str | None = Field(None, min_length=1, description="The path of a file that holds only the secret.")
    keyring: str | None = Field(None, min_length=1, description="An entry of the system's keyring: `service/user`.")
    command: str | None = Field(None, min_length=1, description="A command that prints the secret (no shell).")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(value is not None for value in (self.env, self.file, self.keyring, self.command)) != 1:
            raise PydanticCustomError("secret_reference", "expected exactly one of `env`, `file`, `keyring`, `command`")
        return self

    @property
    def reference(self) -> tuple[str, str]:
        """(kind, argument), for example ("env", "SECRET_KEY")."""
        for kind in ("env", "file", "keyring", "command"):
            if (argument := getattr(self, kind)) is not None:
                return kind, argument
        raise AssertionError("validated to have exactly one key")


def _secret(value: Any) -> Any:
    if isinstance(value, str):
        raise PydanticCustomError("plaintext_secret", "a secret stands here in plain text: expected a reference")
    return value


def _base_url(value: Any) -> Any:
    if not isinstance(value, str) or value == SANDBOX:
        return value
    try:
        parts = urlsplit(value)
        is_complete = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # its message would repeat the address
        raise PydanticCustomError("base_url", "expected an address with a host and a port that exist") from None
    if parts.scheme not in ("http", "https") or not is_complete or parts.hostname is None:
        raise PydanticCustomError("base_url", "expected an address such as `https://…`, or the word `sandbox`")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise PydanticCustomError("base_url", "expected an address without user, query or fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise PydanticCustomError("base_url_plain", "plain http would send the secret readable over the network")
    return value.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or re.fullmatch(r"[a-z0-9-]+\.localhost", host) is not None


_Address = Annotated[
    str,
    StringConstraints(
        pattern=r"^(sandbox|https://[^@?#]+|http://(localhost|[a-z0-9-]+\.localhost|127\.[0-9.]+|\[::1\])(:\d+)?(/[^@?#]*)?)$"
    ),
]
Accounts = tuple[Annotated[str, StringConstraints(pattern=_ACCOUNT)], ...]


class LimitsSpec(Model):
    """How much of the provider's allowance Weir may take."""

    requests_per_second: float | None = Field(
        None,
        gt=0,
        le=100_000,
        description="Requests a second, of all that use the key on this machine. Default: 80 % of the mode's limit.",
    )
    read_budget: int | None = Field(
        None,
        gt=0,
        description="Requests that read, in any 30 days. A run that would pass it is refused unless `--over-budget` "
        "says otherwise.",
    )


class GrantsSpec(Model):
    """What exports of this connection may do. Nothing is granted by default."""

    write: Annotated[tuple[Name, ...], BeforeValidator(as_tuple)] = Field(
        (), description="Entities that may be written."
    )
    moves_money: bool = Field(False, description="Whether verbs that move money are allowed.")
    live: bool = Field(False, description="Whether writes in live mode are allowed.")


class ConnectionSpec(Definition):
    """A connection: how a system is reached, and what may be done with it."""

    kind: Literal["connection"]
    name: Name = Field(description="Connection: the alias. Unique, lower_snake.", examples=["shop"])
    connector: Name = Field(
        description="The kind of system (`weir connectors` lists them).", examples=[DEFAULT_CONNECTOR]
    )
    is_active: bool = Field(
        True, description="Is Active: interfaces skip the steps of an inactive connection, and say so."
    )
    is_source: bool = Field(False, description="Is Source: may be used by `import`, which writes to the Schema.")
    is_target: bool = Field(
        False, description="Is Target: may be used by `export`, which receives data from the Schema."
    )
    agent: Name = Field(
        "local", description="Cloud Agent: where its steps run: `local`, or an agent named in weir.yaml."
    )
    timeout_ms: int = Field(
        30_000,
        ge=100,
        le=600_000,
        description="Timeout (ms): how long a request may take, from the first byte sent to the last byte received.",
    )
    client_secret: Annotated[SecretSpec, BeforeValidator(_secret, json_schema_input_type=SecretSpec)] = Field(
        description="Client Secret: a reference to the API key, never the key.",
        examples=[{"env": "SECRET_KEY"}],
    )
    api_version: str | None = Field(
        None,
        min_length=1,
        description="API Version: the version of the provider's API. Default: the one the catalogue was made from.",
        examples=["2026-10-28.endive"],
    )
    mode: Literal["test", "live"] | None = Field(
        None, description="The mode that the key must have, and that everything which arrives must say of itself."
    )
    sql: Sql | None = Field(
        None, description="SQL box: what `weir query NAME` runs, and the query of import steps that give none."
    )
    datetime_format: str | None = Field(
        None, description="DateTime Format: accepted for connectors that need one. A warning says if it does nothing."
    )
    base_url: Annotated[str | None, BeforeValidator(_base_url, json_schema_input_type=_Address | None)] = Field(
        None,
        description="Another address than the provider's own, or `sandbox`: the embedded one, started for the run.",
        examples=["sandbox", "http://127.0.0.1:12111"],
    )
    accounts: Annotated[Accounts | Literal["all"] | None, BeforeValidator(as_tuple)] = Field(
        None, description="Connected accounts to read: a list of `acct_…`, or `all`. Default: the key's own account."
    )
    limits: LimitsSpec = Field(default_factory=LimitsSpec, description="How much of the allowance Weir may take.")
    reread: Mapping[Name, Duration | Literal["never"]] = Field(
        {},
        description="By table: after how long all of it is read again, so that edits which the provider does not tell "
        "are seen, or `never`. Default: by the kind of table; `weir plan` says it.",
        examples=[{"payment_intents": "12h", "balance_transactions": "never"}],
    )
    optional: Annotated[tuple[Name, ...], BeforeValidator(as_tuple)] = Field(
        (),
        description="Tables that a run may go on without where the provider refuses them (400, 403, 404): it warns, "
        "and steps see what the mirror has. Default: a table that is needed and refused fails.",
        examples=[["reviews", "disputes"]],
    )
    grants: GrantsSpec = Field(default_factory=GrantsSpec, description="What exports may do.")
