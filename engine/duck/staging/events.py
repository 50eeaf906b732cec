"""Which events of an account were applied to a staging file (`weir.events`), where a hole was left (`weir.gaps`), and
whose key it was read with (`weir.identity`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import duckdb

from engine.connector import EventClaim, EventInterval, Gap, Identity
from engine.run import StoreError

KEPT: Final = timedelta(hours=3)
"""How long the ids of applied events are kept, by the provider's clock: longer than any connector looks back."""

_TABLES = """
CREATE TABLE IF NOT EXISTS weir.events (
    account VARCHAR NOT NULL,
    since TIMESTAMP NOT NULL,
    until TIMESTAMP NOT NULL,
    read_at TIMESTAMP NOT NULL
);
ALTER TABLE weir.events ADD COLUMN IF NOT EXISTS looked_back TIMESTAMP;
CREATE TABLE IF NOT EXISTS weir.identity (
    account VARCHAR NOT NULL,
    livemode BOOLEAN
);
CREATE TABLE IF NOT EXISTS weir.applied_events (
    account VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    created TIMESTAMP NOT NULL
);
CREATE TABLE IF NOT EXISTS weir.gaps (
    account VARCHAR NOT NULL,
    since TIMESTAMP NOT NULL,
    until TIMESTAMP NOT NULL,
    found_at TIMESTAMP NOT NULL
);
"""

_PRESENT = """
SELECT 1 FROM duckdb_tables()
WHERE database_name = current_database() AND schema_name = 'weir' AND table_name = 'events'
"""


def make_event_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the four tables, unless they exist."""
    connection.execute(_TABLES)


def demand_identity(connection: duckdb.DuckDBPyConnection, identity: Identity, file: str) -> None:
    """Remember whose key the file is read with. `StoreError` E612 when it was another one's before."""
    known = connection.execute("SELECT account, livemode FROM weir.identity").fetchall()
    if not known:
        connection.execute("INSERT INTO weir.identity VALUES ($1, $2)", [identity.account, identity.livemode])
        return
    account, livemode = known[0]
    if account != identity.account or (None not in (livemode, identity.livemode) and livemode != identity.livemode):
        raise StoreError(
            "E612",
            f"`{file}` mirrors {_named(account, livemode)}, but the key belongs to "
            f"{_named(identity.account, identity.livemode)}",
            "use the key of the original account, add a connection for the other account, or delete the file to read "
            "everything again",
        )


def _named(account: str, livemode: bool | None) -> str:
    mode = "" if livemode is None else " in live mode" if livemode else " in test mode"
    return f"account {account}{mode}"


def has_events(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the current database has them: files of older versions have not."""
    return bool(connection.execute(_PRESENT).fetchall())


def record_events(connection: duckdb.DuckDBPyConnection, claim: EventClaim, read_at: datetime) -> None:
    """Extend an account's interval, or begin it again. `read_at` (naive UTC) is the default for a claim without
    one."""
    known = {"account": claim.account}
    read_at = _naive(claim.read_at) if claim.read_at is not None else read_at
    until = _naive(claim.until)
    deleted = "DELETE FROM weir.events WHERE account = $account RETURNING since, looked_back"
    before = connection.execute(deleted, known).fetchall()
    begins = claim.since is not None or not before
    since, looked_back = (_naive(claim.since or claim.until), until) if begins else before[0]
    connection.execute(
        "INSERT INTO weir.events VALUES ($account, $since, $until, $read_at, $looked_back)",
        {
            **known,
            "since": since,
            "until": until,
            "read_at": read_at,
            "looked_back": until if claim.looks_back else looked_back,
        },
    )
    if claim.lost is not None:
        connection.execute(
            "INSERT INTO weir.gaps VALUES ($account, $since, $until, $read_at)",
            {**known, "since": _naive(claim.lost), "until": until, "read_at": read_at},
        )
    connection.execute(
        "DELETE FROM weir.applied_events WHERE account = $account AND created < $bound",
        {**known, "bound": until - KEPT},
    )
    if claim.applied:
        connection.execute(
            """
            INSERT INTO weir.applied_events
            SELECT $account, id, created FROM (
                SELECT unnest($ids::VARCHAR[]) AS id, make_timestamp(unnest($created::BIGINT[]) * 1000000) AS created
            )
            WHERE created >= $bound
            """,
            {
                **known,
                "ids": [each for each, _ in claim.applied],
                "created": [created for _, created in claim.applied],
                "bound": until - KEPT,
            },
        )


def read_events(
    connection: duckdb.DuckDBPyConnection, account: str
) -> tuple[EventInterval | None, tuple[tuple[str, int], ...]]:
    """The account's interval, and the (id, created) of the latest events in it."""
    known = {"account": account}
    rows = connection.execute("SELECT * FROM weir.events WHERE account = $account", known).fetchall()
    if not rows:
        return None, ()
    _, since, until, read_at, *more = rows[0]
    looked_back = more[0] if more else None  # a file that was last written before it was noted
    applied = connection.execute(
        "SELECT id, epoch(created)::BIGINT FROM weir.applied_events WHERE account = $account ORDER BY id", known
    )
    interval = EventInterval(
        _aware(since), _aware(until), _aware(read_at), _aware(looked_back) if looked_back is not None else None
    )
    return interval, tuple((name, created) for name, created in applied.fetchall())


def read_gaps(connection: duckdb.DuckDBPyConnection, account: str) -> tuple[Gap, ...]:
    """The holes in the account's events, the oldest first."""
    rows = connection.execute(
        "SELECT since, until, found_at FROM weir.gaps WHERE account = $account ORDER BY since", {"account": account}
    ).fetchall()
    return tuple(Gap(*map(_aware, row)) for row in rows)


def _aware(timestamp: datetime) -> datetime:
    return timestamp.replace(tzinfo=UTC)


def _naive(timestamp: datetime) -> datetime:
    return timestamp.astimezone(UTC).replace(tzinfo=None)
