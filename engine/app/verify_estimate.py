"""How many requests a comparison of a mirror with the provider will take, by what the mirror holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, Final

from .connectors import installed_connectors

if TYPE_CHECKING:
    from engine.connector import Mirror, Read
    from engine.plan import ConnectionSettings, Plan

_PAGE: Final = 100
"""Rows that a request for a list answers at most."""


def with_estimates(plan: Plan, settings: ConnectionSettings, mirrors: Sequence[Mirror], now: datetime) -> Plan:
    """The plan of a comparison with what it will cost: all is read once, then the changes since, for each account.

    How many pages a list has follows from its rows, and how many lists there are below parents from theirs. Of what
    comes inside its parents, the pages beyond theirs are those of lists that were cut there.
    """
    from engine.connector import ACCOUNT, CHANGES
    from engine.plan import Beside, Estimate, Known, outlook

    connector = installed_connectors()[settings.connector]
    never = dict.fromkeys(each.table for mirror in mirrors for each in mirror.coverage)
    reads = [read for task in plan.tasks for read in task.reads]
    later = outlook(replace(settings, reread=never), connector, reads, Known(now, {settings.name: mirrors}))
    tasks = []
    for task in plan.tasks:
        costs = [_whole(read, mirror) for read in task.reads for mirror in mirrors]
        costs += [later[read.table].requests or 0 for read in task.reads if read.table in later]
        tasks.append(replace(task, estimate=Estimate(sum(costs), None)))
    changes, account = later.get(CHANGES, Estimate(0, None)), later.get(ACCOUNT, Estimate(0, None))
    account = replace(account, requests=2 * (account.requests or 0))
    beside = (Beside(settings.name, "events", changes), Beside(settings.name, "account", account))
    return replace(plan, tasks=tuple(tasks), beside=beside)


def _whole(read: Read, mirror: Mirror) -> int:
    """Requests that read anew what the mirror has of a table."""
    rows = mirror.rows.get(read.table, 0)
    parent = next((request.per for request in read.requests if request.per is not None), None)
    pages = max(1, ceil(rows / _PAGE))
    if parent is None:
        return max(0, len(read.requests) - 1) + pages if read.requests else 0
    own = [each for each in mirror.coverage if each.table == read.table]
    if own and all(each.strategy == "embedded" for each in own):
        inside = sum(each.pages for each in mirror.coverage if each.table == parent)
        return max(0, sum(each.pages for each in own) - inside)
    return max(mirror.rows.get(parent, 0), pages)
