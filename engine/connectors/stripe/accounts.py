"""Whose key it is, and which accounts are connected to that one."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from engine.connector import ConnectorError, Failure, FailureKind

from .catalogue import load_catalogue
from .client import Answer, Client, Settings, open_key, shared_buckets
from .planning.reads import PAGE_SIZE

_UNKNOWABLE: Final = frozenset({FailureKind.PERMISSION, FailureKind.MISSING, FailureKind.REQUEST})


class _Account(msgspec.Struct):
    id: str


class _Accounts(msgspec.Struct):
    data: list[_Account]
    has_more: bool = False


_ACCOUNT: Final = msgspec.json.Decoder(_Account)
_ACCOUNTS: Final = msgspec.json.Decoder(_Accounts)


def list_accounts(config: Mapping[str, object], sent: Callable[[int], None]) -> tuple[str, ...]:
    """The ids of all connected accounts, sorted. `ConnectorError` when they cannot be listed.

    In either case `sent` is called with the number of requests.
    """
    settings = Settings.of(config, load_catalogue().api_version)
    key = open_key(settings, os.environ)
    if isinstance(key, Failure):
        raise ConnectorError(key)
    client = Client(settings, key, buckets=shared_buckets(settings, key, os.environ))
    try:
        return asyncio.run(_list(client))
    finally:
        sent(client.counts.requests)


async def _list(client: Client) -> tuple[str, ...]:
    async with client:
        found: list[str] = []
        while True:
            after = {"starting_after": found[-1]} if found else {}
            page = await client.get("/v1/accounts", {"limit": str(PAGE_SIZE), **after}, _read_page)
            found.extend(account.id for account in page.data)
            if not page.has_more or not page.data:
                return tuple(sorted(found))


async def own_account(client: Client) -> str | None:
    """The account that the client's key belongs to; None where the key may not ask."""
    try:
        return await client.get("/v1/account", {}, lambda answer: _ACCOUNT.decode(answer.body).id)
    except ConnectorError as error:
        if error.failure.kind in _UNKNOWABLE:
            return None
        raise


def _read_page(answer: Answer) -> _Accounts:
    return _ACCOUNTS.decode(answer.body)
