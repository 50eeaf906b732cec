"""Every connected account in turn, in one partition."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final, cast

import msgspec

from engine.run import Json, Output, OutputFile, TaskContext

from ..client import Answer, Client
from .cursors import PAGE_SIZE
from .slices import extract_slice, open_client, slice_limits

_TOTALS: Final = ("counts", "tables", "requests")


class _Account(msgspec.Struct):
    id: str


class _Accounts(msgspec.Struct):
    data: list[_Account]
    has_more: bool = False


class _State(msgspec.Struct):
    """The accounts that are left, the first of them maybe begun: `begun` is the state of its next slice."""

    left: list[str]
    begun: dict[str, Any] | None = None


_ACCOUNTS: Final = msgspec.json.Decoder(_Accounts)


def extract_accounts(config: Mapping[str, Json], payload: Mapping[str, Json], context: TaskContext) -> Output:
    """Read one slice over all connected accounts, one after the other; see `extract_partition`.

    The accounts are listed once, when the partition begins. Those that close meanwhile fail as any other would.
    """
    given = payload.get("state")
    state = _State(_list_accounts(config)) if given is None else msgspec.convert(given, _State)
    max_bytes, max_seconds = slice_limits(config)
    until = time.monotonic() + max_seconds
    gathered = _Gathered(context)
    while state.left and gathered.bytes < max_bytes and time.monotonic() < until and not context.cancelled():
        account = state.left[0]
        folder = context.directory / account
        folder.mkdir()
        limits = {
            "max_slice_bytes": max_bytes - gathered.bytes,
            "max_slice_seconds": max(1.0, until - time.monotonic()),
        }
        output = extract_slice(
            {**config, **limits},
            {**payload, "account": account, "state": state.begun},
            replace(context, directory=folder, report=gathered.report),
        )
        state.begun = gathered.add(output)
        if state.begun is None:
            state.left.pop(0)
    return gathered.output(msgspec.to_builtins(state) if state.left else None)


def _list_accounts(config: Mapping[str, Json]) -> list[str]:
    async def run(client: Client) -> list[str]:
        async with client:
            found: list[str] = []
            while True:
                after = {"starting_after": found[-1]} if found else {}
                page = await client.get("/v1/accounts", {"limit": str(PAGE_SIZE), **after}, _read)
                found.extend(account.id for account in page.data)
                if not page.has_more or not page.data:
                    return found

    return asyncio.run(run(open_client(config, None)))


def _read(answer: Answer) -> _Accounts:
    return _ACCOUNTS.decode(answer.body)


class _Gathered:
    """The outputs of several accounts as one."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context
        self._files: list[OutputFile] = []
        self._lists: dict[str, list[Json]] = {"coverage": [], "failures": [], "warnings": []}
        self._totals: dict[str, Counter[str]] = {name: Counter() for name in _TOTALS}

    @property
    def bytes(self) -> int:
        """Bytes in the spool so far."""
        return self._totals["counts"]["bytes"]

    def report(self, totals: Mapping[str, Json]) -> None:
        """Pass on an account's progress, on top of those that are done."""
        self._context.report({**totals, **self._with(totals)})

    def add(self, output: Output) -> dict[str, Any] | None:
        """Take the output of an account's slice; the state of its next one."""
        value = cast("Mapping[str, Any]", output.value)
        self._files.extend(output.files)
        for name, entries in self._lists.items():
            entries.extend(each for each in value[name] if name != "warnings" or each not in entries)
        for name, counter in self._totals.items():
            counter.update(value[name])
        return cast("dict[str, Any] | None", value["remaining"])

    def output(self, remaining: Json) -> Output:
        """All of it."""
        return Output(tuple(self._files), {"remaining": remaining, **self._lists, **self._with({})})

    def _with(self, totals: Mapping[str, Any]) -> dict[str, Json]:
        merged = {name: Counter(counter) for name, counter in self._totals.items()}
        for name, counter in merged.items():
            counter.update(totals.get(name) or {})
        return {name: dict(counter) for name, counter in merged.items()}
