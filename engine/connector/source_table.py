"""What a connector can read: tables and their catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from engine.relation import Relation

from .need import Op, Predicate
from .target import Targets


class TimestampFormat(StrEnum):
    """How a provider writes a timestamp in JSON."""

    UNIX_SECONDS = "unix_seconds"
    UNIX_MILLISECONDS = "unix_milliseconds"
    RFC_3339 = "rfc_3339"
    UNIX_SECONDS_OR_RFC_3339 = "unix_seconds_or_rfc_3339"
    """Either, by value: RFC 3339 in UTC."""


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table that a connector can read.

    `relation` holds the provider's columns followed by `SYSTEM_COLUMNS`. `filters` are the columns whose comparisons
    the provider can answer. `key` identifies a row within an account. `created` names the column that orders the list,
    if any. `timestamps` is how pages write timestamps. `open` selects the rows that are not final: those may change
    without notice (a disjunction; none for all others).
    """

    name: str
    relation: Relation
    key: tuple[str, ...]
    description: str
    filters: Mapping[str, frozenset[Op]]
    created: str | None = None
    open: tuple[tuple[Predicate, ...], ...] = ()
    timestamps: TimestampFormat = TimestampFormat.UNIX_SECONDS


@dataclass(frozen=True, slots=True)
class SourceCatalogue:
    """Everything that a connector can read at one API version; known offline."""

    api_version: str
    tables: Mapping[str, SourceTable]
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Lists that are no tables, with the reason."""
    targets: Targets | None = None
    """What can be written; None: nothing."""
