"""What a mirror records about itself, and what a slice of reading adds besides rows.

The timestamps `as_of`, `since` and `until` are of the provider's clock; `read_at` is of this machine's.
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
"""The name of the look-up of a key's account, and of the accounts that are connected to it."""
EVENT_GAP: Final = "event_gap"
"""The code of such a failure when the provider no longer lists what has changed since."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What staging has of a table: the rows created in `window` (Unix seconds).

    `where` is the filter that the read was narrowed by (a disjunction, see `Need.where`); `((),)` for none.
    `strategy` says how it was read ("list", "retrieve", "parents"). `complete` is false for a read with a limit and
    for one that is not done. `expanded` are the fields that only come when requested, and were. `read_at` is None until
    it is set, at the latest when it is committed. `continues` is the age of the oldest of the windows that this one
    extends.
    `carried` are tables whose rows were read with each of these, though those tables may not be whole yet. Rows of a
    `gathered` one came over several runs: those that this run has not read are not gone.
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
    latest of them were committed. `looked_back` is up to when late events were looked for (None: not known); as
    all but `read_at`, by the provider's clock.
    """

    since: datetime
    until: datetime
    read_at: datetime
    looked_back: datetime | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Events of an account that could no longer be read. `found_at` is of this machine's clock."""

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
    """How another API version than the one that a table was read at changes its columns. `retyped` are (column, type
    before, type now). `relation` has the columns of both versions, of the types that they had before. A table that no
    longer exists has lost all of its columns.
    """

    before: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    retyped: tuple[tuple[str, str, str], ...] = ()
    relation: Relation = Relation(())  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Mirror:
    """One account's part of a mirror, as a connector needs it to decide what to request.

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
    """Objects that the provider reports as deleted or missing."""

    account: str
    table: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Renewed:
    """Rows below parents, read again for each parent that was read: those of `table` whose `field` is the `column` of
    such a row of `parent`. Rows that a parent no longer has are gone."""

    account: str
    table: str
    field: str
    parent: str
    column: str


@dataclass(frozen=True, slots=True)
class EventClaim:
    """The events of an account up to `until` are applied, with all that they made necessary.

    `since` is None where the interval continues, and a timestamp where it begins again: what was read before is then no
    longer kept current. `lost` is set when that leaves a hole: from when on events could not be read. `applied` are the
    (id, created) of the latest ones. Of the tables in `forget` not all changes could be read: they have nothing but
    what is claimed with this or later. `read_at` is as that of `Coverage`. `looks_back`: events that came late were
    looked for, too; an interval that begins again does not need that.
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
    """Whose key a mirror was read with: its account, and whether it reads live rows (None: unknown)."""

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
        """Whether the mirror `now` descends from what it was here: the same file, not an older state of it."""
        return now is not None and now.file == self.file and now.changed_at >= self.changed_at


@dataclass(frozen=True, slots=True)
class Changes:
    """What a slice found besides rows; committed with them. A mirror belongs to one `identity` for good."""

    gone: tuple[Gone, ...] = ()
    renewed: tuple[Renewed, ...] = ()
    events: tuple[EventClaim, ...] = ()
    identity: Identity | None = None
