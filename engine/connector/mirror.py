"""What a mirror knows of itself, and what a slice of reading tells it besides rows.

All moments named `as_of`, `since` and `until` are the provider's clock; `read_at` is this machine's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from engine.relation import Relation

from .need import Predicate
from .window import Window

CHANGES: Final = "(changes)"
"""The name of the read of what has changed, which is no table's: its failure means that events cannot be read."""
ACCOUNT: Final = "(account)"
"""The name of what finds out whose key it is, and which accounts are connected to that one."""
EVENT_GAP: Final = "event_gap"
"""The code of such a failure when the provider does not tell any more what has changed since."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What staging has of a table: the rows created in `window` (Unix seconds).

    `where` is the filter that the read was narrowed by (a disjunction, see `Need.where`); `((),)` for none.
    `strategy` says how it was read ("list", "retrieve", "parents"). `complete` is false for a read with a limit and
    for one that is not done. `expanded` are the fields that only come when asked for, and were. `read_at` is None until
    somebody says it, at the latest when it is committed. `continues` is the age of the oldest of the windows that this
    one makes longer.
    `carried` are tables whose rows were read with each of these, though those tables may not be whole yet. Rows of a
    `gathered` one have come over several runs, so that those which this run has not read are not gone.
    """

    account: str
    table: str
    window: Window
    where: tuple[tuple[Predicate, ...], ...]
    as_of: datetime
    strategy: str
    api_version: str
    pages: int
    rows: int
    complete: bool
    expanded: tuple[str, ...] = ()
    read_at: datetime | None = None
    continues: datetime | None = None
    carried: tuple[str, ...] = ()
    gathered: bool = False


@dataclass(frozen=True, slots=True)
class EventInterval:
    """The events of an account that were applied without a hole: those from `since` up to `until`.

    What was read from `since` on, of a table whose changes emit events, is current as of `until`. `read_at` is when the
    latest of them were committed. `looked_back` is up to when events were sought that came late (None: not known); as
    all but `read_at`, by the provider's clock.
    """

    since: datetime
    until: datetime
    read_at: datetime
    looked_back: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Events of an account that could not be read any more. `found_at` is this machine's time."""

    since: datetime
    until: datetime
    found_at: datetime


@dataclass(frozen=True, slots=True)
class OpenRows:
    """The rows of a table that are not final: how many, the creation of the oldest and the newest in Unix seconds, and
    the ids of at most a hundred of them."""

    count: int
    oldest: int
    newest: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VersionMove:
    """What another API version than the one that a table was read at makes of its columns. `retyped` are (column, type
    before, type now). `relation` has the columns of both versions, of the types that they had before. A table that is
    not there any more has lost all of its columns.
    """

    before: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[tuple[str, str, str], ...] = ()
    relation: Relation = Relation(())  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Mirror:
    """One account's part of a mirror, as a connector needs it to decide what to ask for.

    `applied` are the (id, created) of the latest events that were applied. `rows` counts the live rows by table;
    `open_rows` are those of the tables that declare which rows are not final; `moves` those that were read at another
    API version. An empty account is the key's own.
    """

    account: str = ""
    coverage: tuple[Coverage, ...] = ()
    events: EventInterval | None = None
    applied: tuple[tuple[str, int], ...] = ()
    rows: Mapping[str, int] = field(default_factory=dict)
    open_rows: Mapping[str, OpenRows] = field(default_factory=dict)
    moves: Mapping[str, VersionMove] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gone:
    """Objects that the provider says are deleted or missing."""

    account: str
    table: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Renewed:
    """Rows that hang on parents, read anew for each parent that was read: those of `table` whose `field` is the
    `column` of such a row of `parent`. What a parent does not have any more is gone."""

    account: str
    table: str
    field: str
    parent: str
    column: str


@dataclass(frozen=True, slots=True)
class EventClaim:
    """The events of an account up to `until` are applied, with all that they made necessary.

    `since` is None where the interval goes on, and a moment where it begins anew: what was read before is then not kept
    current any more. `lost` is set when that leaves a hole: from when on events could not be read. `applied` are the
    (id, created) of the latest ones. Of the tables in `forget` not all changes could be read: they have nothing but
    what is claimed with this or later. `read_at` is as that of `Coverage`. `looks_back`: events that came late were
    sought, too; an interval that begins anew needs that not.
    """

    account: str
    until: datetime
    since: datetime | None = None
    lost: datetime | None = None
    applied: tuple[tuple[str, int], ...] = ()
    forget: tuple[str, ...] = ()
    read_at: datetime | None = None
    looks_back: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose key a mirror was read with: its account, and whether it reads live rows (None: it does not say)."""

    account: str
    livemode: bool | None = None


@dataclass(frozen=True, slots=True)
class MirrorInstant:
    """A point in the life of a mirror: which file it is, and the latest `_changed_at` (UTC) of its rows then.

    Rows that change later have a later `_changed_at`.
    """

    file: str
    changed_at: datetime

    def leads_to(self, now: MirrorInstant | None) -> bool:
        """Whether what the mirror is `now` came out of what it was here: the same file, not an older state of it."""
        return now is not None and now.file == self.file and now.changed_at >= self.changed_at


@dataclass(frozen=True, slots=True)
class Changes:
    """What a slice found out besides rows; committed with them. A mirror belongs to one `identity` for good."""

    gone: tuple[Gone, ...] = ()
    renewed: tuple[Renewed, ...] = ()
    events: tuple[EventClaim, ...] = ()
    identity: Identity | None = None
