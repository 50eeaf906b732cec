"""The columns that Weir adds to every table of a mirror."""

from __future__ import annotations

from typing import Final

from engine.relation import BOOLEAN, JSON, TEXT, TIMESTAMP, Column

SYSTEM_COLUMNS: Final = (
    Column("_account", TEXT, True, "the account that the row belongs to"),
    Column("_livemode", BOOLEAN, True, "whether the row is of live mode"),
    Column("_api_version", TEXT, True, "the API version that the row was read at"),
    Column("_read_at", TIMESTAMP, True, "when the row was read"),
    Column("_changed_at", TIMESTAMP, False, "when the row was first found to be as it is, or to be gone"),
    Column("_source", TEXT, True, "how the row was read: list, retrieve, parents"),
    Column("_deleted_at", TIMESTAMP, False, "when the row was found to be gone"),
    Column("_extra", JSON, False, "fields that the catalogue does not know, or whose values are of another type"),
)
"""In this order, behind the provider's columns."""
