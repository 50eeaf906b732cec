"""Testing a connection: is Stripe there, whose is the key, and may it read what the definitions need?"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec

from engine.connector import CheckReport, ConnectorError, Failure, FailureKind, Probe, Verdict
from engine.connector.sandbox import SANDBOX

from .catalogue import Table, load_catalogue
from .client import Answer, Client, Key, RetryPolicy, Settings, open_key, shared_buckets

_PATIENCE: Final = RetryPolicy(tries=3, timeouts=1, seconds=30.0, rate_seconds=30.0)
_SKEW_SECONDS: Final = 60.0
_EVENTS: Final = "events"


@dataclass(frozen=True, slots=True)
class _Timed:
    """An answer, how long it took, and by how much the server's clock is ahead of ours (None: it does not say)."""

    body: dict[str, Any]
    milliseconds: float
    ahead: float | None
    version: str | None


def check_connection(config: Mapping[str, object], tables: Sequence[str]) -> CheckReport:
    """Reach Stripe with the settings in `config` (see `extract_partition`; `connection` is its name).

    Facts: address, key, mode, account, API version, latency, clock. Probes: the key, the API version, the clock, one
    row of each of `tables`, and events. Never raises `ConnectorError`; a table of `tables` must exist.
    """
    name = str(config.get("connection") or "stripe")
    settings = Settings.of(config, load_catalogue().api_version)
    key = open_key(settings, os.environ)
    if isinstance(key, Failure):
        facts = {"address": settings.base_url}
        return CheckReport(name, False, facts, (Probe("key", Verdict.FAILED, key.message, failure=key),))
    account = config.get("account")
    buckets = shared_buckets(settings, key, os.environ)
    client = Client(settings, key, account if isinstance(account, str) else None, _PATIENCE, buckets=buckets)
    return asyncio.run(_check(name, client, key, sorted({*tables})))


async def _check(name: str, client: Client, key: Key, tables: Sequence[str]) -> CheckReport:
    async with client:
        first, account = await _account(client)
        facts = {"address": client.settings.base_url, "key": key.kind, "mode": key.mode or "unknown"}
        if isinstance(account, Failure):
            return CheckReport(name, False, facts, (first,), client.counts.requests)
        probes = await asyncio.gather(*(_probe_table(client, each) for each in tables), _probe_events(client))
    facts |= _facts(client, account)
    found = (first, *_remarks(client, account), *probes)
    works = all(probe.verdict is not Verdict.FAILED for probe in found)
    return CheckReport(name, works, facts, found, client.counts.requests)


async def _account(client: Client) -> tuple[Probe, _Timed | Failure]:
    """Who the key belongs to. A restricted key may not be allowed to ask, and works all the same."""
    try:
        answer = await _get(client, "/v1/account")
    except ConnectorError as error:
        failure = error.failure
        if failure.kind in (FailureKind.PERMISSION, FailureKind.MISSING):
            message = "the key works, but may not read its own account"
            return Probe("key", Verdict.OK, message), _Timed({}, 0.0, None, client.counts.api_version)
        return Probe("key", Verdict.FAILED, failure.message, failure=failure), failure
    return Probe("key", Verdict.OK, "the key is accepted", answer.milliseconds), answer


def _facts(client: Client, account: _Timed) -> dict[str, str]:
    settings = account.body.get("settings")
    dashboard = settings.get("dashboard") if isinstance(settings, dict) else None
    title = dashboard.get("display_name") if isinstance(dashboard, dict) else None
    number = account.body.get("id")
    facts = {}
    if isinstance(number, str):
        facts["account"] = f"{number} ({title})" if isinstance(title, str) and title else number
    facts["API version"] = account.version or client.settings.api_version
    if account.milliseconds:
        facts["latency"] = f"{account.milliseconds:.0f} ms"
    if account.ahead is not None:
        facts["clock"] = f"{account.ahead:+.0f} s"
    return facts


def _remarks(client: Client, account: _Timed) -> list[Probe]:
    found = []
    asked = client.settings.api_version
    if account.version not in (None, asked):
        message = f"asked for {asked}, got {account.version}: unknown fields will be kept in `_extra`"
        found.append(Probe("API version", Verdict.WARNING, message))
    has_own_clock = client.settings.secret[0] == SANDBOX
    if account.ahead is not None and abs(account.ahead) > _SKEW_SECONDS and not has_own_clock:
        direction = "behind" if account.ahead > 0 else "ahead of"
        message = f"this machine's clock is {abs(account.ahead):.0f} s {direction} the server's"
        found.append(Probe("clock", Verdict.WARNING, message))
    return found


async def _probe_table(client: Client, name: str) -> Probe:
    """Read one row. A list below a parent is asked for a parent that does not exist: 404 means that it may be read."""
    table = load_catalogue().tables[name]
    path, params = _probe_request(table)
    try:
        answer = await _get(client, path, params)
    except ConnectorError as error:
        failure = replace(error.failure, table=name)
        if table.parents and failure.kind in (FailureKind.MISSING, FailureKind.REQUEST):
            return Probe(name, Verdict.OK, "readable")
        if failure.kind is FailureKind.PERMISSION and failure.permission is None:
            failure = replace(failure, hint=f"{failure.hint or ''} (by Stripe's rule, `{table.permission}`)".strip())
        return Probe(name, Verdict.FAILED, failure.message, failure=failure)
    return Probe(name, Verdict.OK, "readable", answer.milliseconds)


def _probe_request(table: Table) -> tuple[str, dict[str, str]]:
    path, params = table.path, dict(table.fixed)
    if table.page.value != "none":
        params["limit"] = "1"
    for parent in table.parents:
        if parent.in_path:
            path = path.replace(f"{{{parent.param}}}", "weir_probe_missing")
        else:
            params[parent.param] = "weir_probe_missing"
    for each in table.filters:
        if each.required and each.param not in params and each.values:
            params[each.param] = each.values[0]
    return path, params


async def _probe_events(client: Client) -> Probe:
    """Events are not needed yet: a key that may not read them is worth a warning only."""
    try:
        answer = await _get(client, "/v1/events", {"limit": "1"})
    except ConnectorError as error:
        return Probe(_EVENTS, Verdict.WARNING, f"not readable: {error.failure.message}", failure=error.failure)
    return Probe(_EVENTS, Verdict.OK, "readable", answer.milliseconds)


async def _get(client: Client, path: str, params: Mapping[str, str] | None = None) -> _Timed:
    started = time.perf_counter()

    def read(answer: Answer) -> _Timed:
        body = msgspec.json.decode(answer.body, type=dict[str, Any])
        milliseconds = (time.perf_counter() - started) * 1000
        return _Timed(body, milliseconds, _ahead(answer), answer.headers.get("stripe-version"))

    return await client.get(path, params or {}, read)


def _ahead(answer: Answer) -> float | None:
    try:
        return parsedate_to_datetime(answer.headers["date"]).timestamp() - time.time()
    except (KeyError, ValueError):
        return None
