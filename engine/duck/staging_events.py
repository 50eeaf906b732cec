"""Which events of an account were applied to a staging file: `weir.events`, and where a hole was left: `weir.gaps`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import duckdb

from engine.connector import EventClaim, EventInterval

from .staging_coverage import forget_coverage

KEPT: Final = timedelta(hours=1)
"""How long the ids of applied events are kept, by the provider's clock: longer than any overlap that is read again."""

_TABLES = """
CREATE TABLE IF NOT EXISTS weir.events (
    account VARCHAR NOT NULL,
    since TIMESTAMP NOT NULL,
    until TIMESTAMP NOT NULL,
    read_at TIMESTAMP NOT NULL
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


def make_event_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Have the three tables."""
    connection.execute(_TABLES)


def record_events(connection: duckdb.DuckDBPyConnection, claim: EventClaim, read_at: datetime) -> None:
    """Move an account's interval on, or begin it anew. `read_at` is naive UTC."""
    known = {"account": claim.account}
    until = _naive(claim.until)
    before = connection.execute("DELETE FROM weir.events WHERE account = $account RETURNING since", known).fetchall()
    since = _naive(claim.since) if claim.since is not None else before[0][0] if before else until
    connection.execute(
        "INSERT INTO weir.events VALUES ($account, $since, $until, $read_at)",
        {**known, "since": since, "until": until, "read_at": read_at},
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
            SELECT $account, id, moment FROM (
                SELECT unnest($ids::VARCHAR[]) AS id, make_timestamp(unnest($moments::BIGINT[]) * 1000000) AS moment
            )
            WHERE moment >= $bound
            """,
            {
                **known,
                "ids": [each for each, _ in claim.applied],
                "moments": [moment for _, moment in claim.applied],
                "bound": until - KEPT,
            },
        )
    for table in claim.forget:
        forget_coverage(connection, claim.account, table)


def read_events(connection: duckdb.DuckDBPyConnection, account: str) -> tuple[EventInterval | None, tuple[str, ...]]:
    """The account's interval, and the ids of the latest events in it."""
    known = {"account": account}
    rows = connection.execute(
        "SELECT since, until, read_at FROM weir.events WHERE account = $account", known
    ).fetchall()
    if not rows:
        return None, ()
    since, until, read_at = (moment.replace(tzinfo=UTC) for moment in rows[0])
    applied = connection.execute("SELECT id FROM weir.applied_events WHERE account = $account ORDER BY id", known)
    return EventInterval(since, until, read_at), tuple(each for (each,) in applied.fetchall())


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
