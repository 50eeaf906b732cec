"""The tables in which every mirror tells about itself: what SQL boxes reach as `weir.coverage` and the like.

A table that is added to the schema `weir` of a mirror's file can be queried once it stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from engine.relation import BOOLEAN, INTEGER, JSON, TEXT, TIMESTAMP, Column, ColumnType, Kind, Relation

_TEXTS: Final = ColumnType(Kind.LIST, item=TEXT)

MIRROR_TABLES: Final[Mapping[str, Relation]] = MappingProxyType(
    {
        "coverage": Relation(
            (
                Column("account", TEXT, True, "the account; empty for the key's own"),
                Column("table", TEXT, True, "the table that was read"),
                Column("gte", INTEGER, False, "rows created from then on, in Unix seconds; NULL: from the beginning"),
                Column("lt", INTEGER, False, "rows created before then, in Unix seconds; NULL: to the end"),
                Column("filter", TEXT, True, "what the read was narrowed by, as JSON; `[[]]` for nothing"),
                Column("as_of", TIMESTAMP, True, "how current the rows are, by the provider's clock"),
                Column("strategy", TEXT, True, "how they were read: list, retrieve, parents"),
                Column("api_version", TEXT, True, "the API version that they were read at"),
                Column("pages", INTEGER, True, "how many answers that took"),
                Column("rows", INTEGER, True, "how many rows they held"),
                Column(
                    "complete",
                    BOOLEAN,
                    True,
                    "whether all such rows were read; false for a read with a limit, or not done",
                ),
                Column("expanded", _TEXTS, False, "fields that only come when asked for, and were"),
                Column("read_at", TIMESTAMP, False, "when they were read, by this machine's clock"),
                Column("carried", _TEXTS, False, "tables whose rows came with these, though not all of them may yet"),
            )
        ),
        "drift": Relation(
            (
                Column("table", TEXT, True, "the table"),
                Column("field", TEXT, True, "the field that the catalogue does not know or cannot type"),
                Column("problem", TEXT, True, "unknown or mistyped"),
                Column("rows", INTEGER, True, "how many rows of the latest read that had it"),
                Column("first_seen", TIMESTAMP, True, "when it was seen first"),
                Column("last_seen", TIMESTAMP, True, "when it was seen last"),
            )
        ),
        "events": Relation(
            (
                Column("account", TEXT, True, "the account"),
                Column("since", TIMESTAMP, True, "events are applied without a hole from then on"),
                Column("until", TIMESTAMP, True, "up to then, by the provider's clock"),
                Column("read_at", TIMESTAMP, True, "when the latest of them were read, by this machine's clock"),
                Column("looked_back", TIMESTAMP, False, "up to when late ones were sought, by the provider's clock"),
            )
        ),
        "gaps": Relation(
            (
                Column("account", TEXT, True, "the account"),
                Column("since", TIMESTAMP, True, "events could not be read from then on"),
                Column("until", TIMESTAMP, True, "up to then, by the provider's clock"),
                Column("found_at", TIMESTAMP, True, "when that was found, by this machine's clock"),
            )
        ),
        "outcomes": Relation(
            (
                Column("run", TEXT, True, "the run that wrote, or meant to"),
                Column("step", TEXT, True, "the step: interface.name; the rows of its last run are here"),
                Column("key", TEXT, False, "what the row is matched by, as a JSON list"),
                Column("number", INTEGER, False, "the position of the row in the box; NULL: the row is gone"),
                Column("row", JSON, False, "the row of the box"),
                Column(
                    "_status",
                    TEXT,
                    True,
                    "unchanged, done, refused (by Weir), failed (at the provider), unknown, unsent",
                ),
                Column("_message", TEXT, False, "what was done, or why it was not"),
                Column("_entity_id", TEXT, False, "the object that the row stands for"),
                Column("_time", TIMESTAMP, True, "when that was, by the provider's clock where it said so"),
                Column("op", TEXT, False, "the write in the ledger: `weir ops show`"),
                Column("type", TEXT, False, "the provider's type of error"),
                Column("code", TEXT, False, "the provider's code of error"),
                Column("param", TEXT, False, "the parameter that the provider refused"),
                Column("request_id", TEXT, False, "the provider's name for the request"),
            )
        ),
        "identity": Relation(
            (
                Column("account", TEXT, True, "the account whose key the mirror is read with"),
                Column("livemode", BOOLEAN, False, "whether it reads live rows"),
            )
        ),
        "file": Relation(
            (
                Column("id", TEXT, True, "the identity of the mirror's file"),
                Column("made_at", TIMESTAMP, True, "when it was made"),
                Column("changed_at", TIMESTAMP, True, "the latest `_changed_at` of its rows"),
            )
        ),
    }
)
"""By name, with their columns. A mirror of an earlier version may lack some: those have no rows, or NULLs."""
