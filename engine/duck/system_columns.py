"""The columns that Weir adds to a provider's columns, with constants for those that staging uses."""

from __future__ import annotations

from typing import Final

ACCOUNT: Final = "_account"
READ_AT: Final = "_read_at"
CHANGED_AT: Final = "_changed_at"
DELETED_AT: Final = "_deleted_at"
EXTRA: Final = "_extra"
SYSTEM_COLUMNS: Final = frozenset(
    {ACCOUNT, "_livemode", "_api_version", READ_AT, CHANGED_AT, "_source", DELETED_AT, EXTRA}
)
