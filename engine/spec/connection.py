"""`kind: connection`: a system that Weir connects to. Field names follow the admin form that teams migrate from."""

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
    """Where a secret is stored. Exactly one of the keys; a definition never contains the value itself."""

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
        raise PydanticCustomError("plaintext_secret", "expected a reference to a secret, found plain text")
    return value


def _base_url(value: Any) -> Any:
    if not isinstance(value, str) or value == SANDBOX:
        return value
    try:
        parts = urlsplit(value)
        is_complete = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # its message would repeat the address
        raise PydanticCustomError("base_url", "expected an address with a valid host and port") from None
    if parts.scheme not in ("http", "https") or not is_complete or parts.hostname is None:
        raise PydanticCustomError("base_url", "expected an address such as `https://…`, or the word `sandbox`")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise PydanticCustomError("base_url", "expected an address without user, query or fragment")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise PydanticCustomError("base_url_plain", "expected https: plain http exposes the secret on the network")
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
    """How much of the provider's rate limit Weir may use."""

    requests_per_second: float | None = Field(
        None,
        gt=0,
        le=100_000,
        description="Requests per second, across all processes that use the key on this machine. Default: 80 % of the "
        "mode's limit.",
    )
    read_budget: int | None = Field(
        None,
        gt=0,
        description="Read requests in any 30 days. A run that would exceed it is refused, unless `--over-budget` is "
        "set.",
    )


class GrantsSpec(Model):
    """What exports may do through this connection. Nothing is granted by default."""

    write: Annotated[tuple[Name, ...], BeforeValidator(as_tuple)] = Field(
        (), description="Entities that may be written."
    )
    moves_money: bool = Field(False, description="Whether operations that move money are allowed.")
    live: bool = Field(False, description="Whether writes in live mode are allowed.")


class ConnectionSpec(Definition):
    """A connection: how Weir reaches a system, and what it may do there."""

    kind: Literal["connection"]
    name: Name = Field(description="Connection: the alias. Unique, lower_snake.", examples=["shop"])
    connector: Name = Field(
        description="The connector (`weir connectors` lists those installed).", examples=[DEFAULT_CONNECTOR]
    )
    is_active: bool = Field(True, description="Is Active: steps of an inactive connection are skipped, with a warning.")
    is_source: bool = Field(False, description="Is Source: may be used by `import`, which writes to the Schema.")
    is_target: bool = Field(
        False, description="Is Target: may be used by `export`, which receives data from the Schema."
    )
    agent: Name = Field("local", description="Cloud Agent: where its steps run, `local` or an agent of weir.yaml.")
    timeout_ms: int = Field(
        30_000,
        ge=100,
        le=600_000,
        description="Timeout (ms): time limit of a request, from the first byte sent to the last byte received.",
    )
    client_secret: Annotated[SecretSpec, BeforeValidator(_secret, json_schema_input_type=SecretSpec)] = Field(
        description="Client Secret: a reference to the API key, never the key.",
        examples=[{"env": "SECRET_KEY"}],
    )
    api_version: str | None = Field(
        None,
        min_length=1,
        description="API Version: the version of the provider's API. Default: the version of the catalogue.",
        examples=["2026-10-28.endive"],
    )
    mode: Literal["test", "live"] | None = Field(
        None, description="The mode that the key and every received object must have. Others are rejected."
    )
    sql: Sql | None = Field(
        None, description="SQL box: the query of `weir query NAME`, and of import steps without their own."
    )
    datetime_format: str | None = Field(
        None, description="DateTime Format: for connectors that need one. Others ignore it, with a warning."
    )
    base_url: Annotated[str | None, BeforeValidator(_base_url, json_schema_input_type=_Address | None)] = Field(
        None,
        description="An address that replaces the provider's own, or `sandbox`: the embedded sandbox, started on "
        "demand.",
        examples=["sandbox", "http://127.0.0.1:12111"],
    )
    accounts: Annotated[Accounts | Literal["all"] | None, BeforeValidator(as_tuple)] = Field(
        None, description="Connected accounts to read: a list of `acct_…`, or `all`. Default: the key's account."
    )
    limits: LimitsSpec = Field(default_factory=LimitsSpec, description="How much of the rate limit Weir may use.")
    reread: Mapping[Name, Duration | Literal["never"]] = Field(
        {},
        description="Interval between full reads, by table, or `never`. A full read finds changes that the provider "
        "reports no events for. Default: depends on the table; `weir plan` shows it.",
        examples=[{"payment_intents": "12h", "balance_transactions": "never"}],
    )
    optional: Annotated[tuple[Name, ...], BeforeValidator(as_tuple)] = Field(
        (),
        description="Tables whose read may fail with 400, 403 or 404: the run warns and continues with the rows in the "
        "mirror. Default: none; a failed read of a table fails the steps that need it.",
        examples=[["reviews", "disputes"]],
    )
    grants: GrantsSpec = Field(default_factory=GrantsSpec, description="What exports may do.")
