"""What a change of a connection means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from engine.graph import Extract
from engine.plan import connection_of
from engine.project import Connection
from engine.spec import ConnectionSpec

from .costs import tables_read, whole
from .types import Consequence, Side, Topic
from .writers import described, writers

_OTHER_ACCOUNT: Final = ("connector", "client_secret", "base_url")
_SHOWN: Final = 12


def consequences(before: Side, after: Side, name: str) -> Iterator[Consequence]:
    """What follows from what has become of a connection, whatever else has changed."""
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
    """Whether more may be written there than before."""
    old, new = before.project.connections.get(name), after.project.connections.get(name)
    return new is not None and any(_exposed(old.spec if old is not None else None, new.spec))


def _exposed(old: ConnectionSpec | None, new: ConnectionSpec) -> Iterator[str]:
    """What may be done from now on that could not be done before."""
    if not new.is_target:
        return
    was = old if old is not None and old.is_target else None
    kind, argument = new.client_secret.reference
    if was is None:
        yield (
            f"interfaces may write to the account behind the key in {kind} `{argument}` from now on, {_where(new)}. "
            f"{_granted(new)}"
        )
        return
    if added := [entity for entity in new.grants.write if entity not in was.grants.write]:
        yield f"{_listed(added)} may be written from now on"
    if new.grants.moves_money and not was.grants.moves_money:
        yield "verbs that move money are allowed from now on"
    if new.grants.live and not was.grants.live:
        yield "writes in live mode are allowed from now on: they reach real customers"
    if new.mode == "live" and was.mode != "live":
        yield "the connection is in live mode from now on: what it writes reaches real customers"
    if new.client_secret != was.client_secret or new.base_url != was.base_url:
        yield f"what is written goes elsewhere: with the key in {kind} `{argument}`, {_where(new)}"


def _where(spec: ConnectionSpec) -> str:
    if spec.base_url is not None:
        return "at the embedded sandbox" if spec.base_url == "sandbox" else f"at {spec.base_url}"
    if spec.mode == "test":
        return "in test mode"
    if spec.grants.live:
        return "**in live mode too** (`grants.live`)"
    if spec.mode == "live":
        return "in live mode, where writes need `grants: {live: true}`"
    return "in test mode; where the key is of live mode, writes are refused without `grants: {live: true}`"


def _granted(spec: ConnectionSpec) -> str:
    if not spec.grants.write:
        return "Nothing is granted yet: `grants.write` names what may be written"
    money = "**verbs that move money are allowed**" if spec.grants.moves_money else "nothing that moves money"
    return f"Granted: {_listed(spec.grants.write)}; {money}"


def _writes(after: Side, connection: Connection) -> Iterator[Consequence]:
    found = writers(after.graph, connection.name)
    for step in found[:_SHOWN]:
        yield Consequence(Topic.WRITES, described(step, after))
    if len(found) > _SHOWN:
        yield Consequence(Topic.WRITES, f"{len(found) - _SHOWN} more steps")
    if found:
        interfaces = " ".join(dict.fromkeys(step.interface for step in found))
        text = f"each write is a request; which ones, row by row: `weir plan --live {interfaces}`"
        yield Consequence(Topic.COSTS, text)
    else:
        yield Consequence(Topic.WRITES, "no interface writes to it yet; any that is merged later may")


def _reads(old: ConnectionSpec, new: ConnectionSpec, before: Side, after: Side) -> Iterator[Consequence]:
    tables = sorted(tables_read(after.plan, new.name))
    if any(getattr(old, field) != getattr(new, field) for field in _OTHER_ACCOUNT):
        text = "a mirror is of one account: if the key is of another one, runs are refused and nothing is mixed"
        yield Consequence(Topic.READS, text)
    if old.accounts != new.accounts and tables:
        yield Consequence(Topic.COSTS, f"accounts that were not read before are read whole: {_listed(tables)}")
    if old.api_version != new.api_version:
        for table in tables[:_SHOWN]:
            yield Consequence(Topic.COSTS, f"`{table}` is read again: {whole(before, new.name, table)}")
        if len(tables) > _SHOWN:
            yield Consequence(Topic.COSTS, f"{len(tables) - _SHOWN} more tables are read again")
    for table in sorted({*old.reread, *new.reread}):
        if old.reread.get(table) != new.reread.get(table):
            how = f"every time: {whole(before, new.name, table)}"
            yield Consequence(Topic.COSTS, f"how often all of `{table}` is read again changes; {how}")
    if new.limits.read_budget is None and old.limits.read_budget is not None:
        yield Consequence(Topic.COSTS, "nothing bounds the requests of 30 days any more")


def _activity(old: ConnectionSpec, new: ConnectionSpec, after: Side) -> Iterator[Consequence]:
    if old.is_active == new.is_active:
        return
    steps = [each.id for each in after.graph.steps if not isinstance(each, Extract) and connection_of(each) == new.name]
    if not steps:
        return
    what = "run from now on" if new.is_active else "left out by runs from now on"
    yield Consequence(Topic.RISKS, f"{what}: {_listed(steps)}")


def _gone(before: Side, name: str) -> Iterator[Consequence]:
    rows = before.rows.get(name, {})
    if rows:
        text = f"its mirror of {sum(rows.values()):,} rows stays where it is and is not kept current any more"
        yield Consequence(Topic.READS, text)


def _listed(names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(f"`{name}`" for name in names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
