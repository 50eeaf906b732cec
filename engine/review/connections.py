"""The consequences of a changed connection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.diagnostics import plural
from engine.graph import Extract
from engine.plan import connection_of
from engine.project import Connection
from engine.spec import ConnectionSpec

from .costs import full_read, tables_read
from .types import Consequence, Side, Topic
from .writers import described, writers

_OTHER_ACCOUNT: Final = ("connector", "client_secret", "base_url")
_SHOWN: Final = 12


def consequences(before: Side, after: Side, name: str) -> Iterator[Consequence]:
    """The consequences of a connection's change, regardless of other changes."""
    old, new = before.project.connections.get(name), after.project.connections.get(name)
    if new is None:
        yield from _gone(before, name)
        return
    exposed = list(_exposed(old.spec if old is not None else None, new.spec))
    if exposed:
        yield from (Consequence(Topic.EXPOSES, text) for text in exposed)
        yield from _writes(after, new)
    if old is None:
        return
    yield from _reads(old.spec, new.spec, before, after)
    yield from _activity(old.spec, new.spec, after)


def is_exposing(before: Side, after: Side, name: str) -> bool:
    """Whether the connection permits more writes than before."""
    old, new = before.project.connections.get(name), after.project.connections.get(name)
    return new is not None and any(_exposed(old.spec if old is not None else None, new.spec))


def _exposed(old: ConnectionSpec | None, new: ConnectionSpec) -> Iterator[str]:
    """Descriptions of the permissions that the change adds."""
    if not new.is_target:
        return
    was = old if old is not None and old.is_target else None
    kind, argument = new.client_secret.reference
    if was is None:
        yield (
            f"allows interfaces to write to the account of the key in {kind} `{argument}`, {_where(new)}. "
            f"{_granted(new)}"
        )
        return
    if added := [entity for entity in new.grants.write if entity not in was.grants.write]:
        yield f"allows writes to {_listed(added)}"
    if new.grants.moves_money and not was.grants.moves_money:
        yield "allows operations that move money"
    if new.grants.live and not was.grants.live:
        yield "allows writes in live mode, which reach real customers"
    if new.mode == "live" and was.mode != "live":
        yield "switches the connection to live mode, where writes reach real customers"
    if new.client_secret != was.client_secret or new.base_url != was.base_url:
        yield f"redirects writes: they use the key in {kind} `{argument}`, {_where(new)}"


def _where(spec: ConnectionSpec) -> str:
    if spec.base_url is not None:
        return "at the embedded sandbox" if spec.base_url == "sandbox" else f"at {spec.base_url}"
    if spec.mode == "test":
        return "in test mode"
    if spec.grants.live:
        return "**in live mode too** (`grants.live`)"
    if spec.mode == "live":
        return "in live mode, where writes need `grants: {live: true}`"
    return "in test mode; with a live key, writes are refused without `grants: {live: true}`"


def _granted(spec: ConnectionSpec) -> str:
    if not spec.grants.write:
        return "No entity is granted yet: `grants.write` is empty"
    money = "**operations that move money**" if spec.grants.moves_money else "no operations that move money"
    return f"Granted: {_listed(spec.grants.write)}; {money}"


def _writes(after: Side, connection: Connection) -> Iterator[Consequence]:
    found = writers(after.graph, connection.name)
    for step in found[:_SHOWN]:
        yield Consequence(Topic.WRITES, described(step, after))
    if len(found) > _SHOWN:
        yield Consequence(Topic.WRITES, plural(len(found) - _SHOWN, "more step"))
    if found:
        interfaces = " ".join(dict.fromkeys(step.interface for step in found))
        text = f"one request per write; `weir plan --live {interfaces}` lists them row by row"
        yield Consequence(Topic.COSTS, text)
    else:
        yield Consequence(Topic.WRITES, "no interface writes to it yet; later changes may add one")


def _reads(old: ConnectionSpec, new: ConnectionSpec, before: Side, after: Side) -> Iterator[Consequence]:
    tables = sorted(tables_read(after.plan, new.name))
    if any(getattr(old, field) != getattr(new, field) for field in _OTHER_ACCOUNT):
        text = "a mirror belongs to one account: if the new key belongs to another one, runs are refused"
        yield Consequence(Topic.READS, text)
    if old.accounts != new.accounts and tables:
        yield Consequence(Topic.COSTS, f"new accounts need a full read of {_listed(tables)}")
    if old.api_version != new.api_version:
        for table in tables[:_SHOWN]:
            yield Consequence(Topic.COSTS, f"full read of `{table}`: {full_read(before, new.name, table)}")
        if len(tables) > _SHOWN:
            yield Consequence(Topic.COSTS, f"full read of {plural(len(tables) - _SHOWN, 'more table')}")
    for table in sorted({*old.reread, *new.reread}):
        if old.reread.get(table) != new.reread.get(table):
            cost = f"each one: {full_read(before, new.name, table)}"
            yield Consequence(Topic.COSTS, f"the interval between full reads of `{table}` changes; {cost}")
    if new.limits.read_budget is None and old.limits.read_budget is not None:
        yield Consequence(Topic.COSTS, "read requests no longer have a budget")


def _activity(old: ConnectionSpec, new: ConnectionSpec, after: Side) -> Iterator[Consequence]:
    if old.is_active == new.is_active:
        return
    steps = [each.id for each in after.graph.steps if not isinstance(each, Extract) and connection_of(each) == new.name]
    if not steps:
        return
    what = "activates" if new.is_active else "deactivates"
    yield Consequence(Topic.RISKS, f"{what} {_listed(steps)}")


def _gone(before: Side, name: str) -> Iterator[Consequence]:
    rows = before.rows.get(name, {})
    if rows:
        text = f"its mirror of {plural(sum(rows.values()), 'row')} is kept but no longer updated"
        yield Consequence(Topic.READS, text)


def _listed(names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
