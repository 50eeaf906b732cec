"""State shared by servers: due times, claimed starts and API tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from .database import open_database, sqlite_url
from .tables import CLAIMS, RUNS, SCHEDULES, TOKENS
from .timestamps import from_microseconds, to_microseconds


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """An API token. `hash` is the hash of its secret part; `scopes` are its permissions."""

    id: str
    name: str
    hash: str
    scopes: tuple[str, ...]
    made: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    used: datetime | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A start that the process `owner` has claimed: run `run` of an interface, for the due time `due`."""

    interface: str
    due: datetime
    run: str
    owner: str


def open_serving_store(path: Path) -> SqlServingStore:
    """The store in the SQLite file at `path`, which run state may share. Raises `StoreError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqlServingStore(sqlite_url(path))


class SqlServingStore:
    """Due times (`DueTimes`), claims and tokens in the database at `url`. Safe for concurrent use by threads and
    processes."""

    def __init__(self, url: str) -> None:
        self._engine = open_database(url)

    def due(self) -> Mapping[str, datetime]:
        """The due time of each interface."""
        with self._engine.connect() as connection:
            return {row.interface: from_microseconds(row.due) for row in connection.execute(select(SCHEDULES))}

    def move_due(self, interface: str, before: datetime | None, after: datetime, claim: Claim | None = None) -> bool:
        """Move the due time from `before` to `after` and record the claim, in one transaction. Of servers that race,
        one succeeds."""
        with self._engine.begin() as connection:
            if before is None:
                try:
                    with connection.begin_nested():
                        connection.execute(insert(SCHEDULES).values(interface=interface, due=to_microseconds(after)))
                except IntegrityError:
                    return False
                return True
            where = (SCHEDULES.c.interface == interface) & (SCHEDULES.c.due == to_microseconds(before))
            if connection.execute(update(SCHEDULES).where(where).values(due=to_microseconds(after))).rowcount != 1:
                return False
            if claim is not None:
                row = {
                    "run": claim.run,
                    "interface": claim.interface,
                    "due": to_microseconds(claim.due),
                    "owner": claim.owner,
                }
                connection.execute(insert(CLAIMS).values(row))
            return True

    def claims(self) -> Sequence[Claim]:
        """The claimed starts that are not settled, by due time."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(CLAIMS).order_by(CLAIMS.c.due))
            return [Claim(row.interface, from_microseconds(row.due), row.run, row.owner) for row in rows]

    def take_over(self, claim: Claim, owner: str) -> bool:
        """Take over the claim of a dead process. Of servers that race, one succeeds."""
        where = (CLAIMS.c.run == claim.run) & (CLAIMS.c.owner == claim.owner)
        with self._engine.begin() as connection:
            return connection.execute(update(CLAIMS).where(where).values(owner=owner)).rowcount == 1

    def settle(self, run: str, owner: str) -> None:
        """Delete the claim of `owner`: its run has begun, or never will."""
        with self._engine.begin() as connection:
            connection.execute(delete(CLAIMS).where((CLAIMS.c.run == run) & (CLAIMS.c.owner == owner)))

    def has_begun(self, run: str) -> bool:
        """Whether the run history has this run."""
        with self._engine.connect() as connection:
            return connection.execute(select(RUNS.c.id).where(RUNS.c.id == run)).first() is not None

    def add_token(self, token: TokenRecord) -> None:
        """Store a new token."""
        row = {
            "id": token.id,
            "name": token.name,
            "hash": token.hash,
            "scopes": json.dumps(list(token.scopes)),
            "made": to_microseconds(token.made),
            "expires": to_microseconds(token.expires) if token.expires is not None else None,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(TOKENS).values(row))

    def tokens(self) -> Sequence[TokenRecord]:
        """All tokens, newest first."""
        with self._engine.connect() as connection:
            return [_token(row) for row in connection.execute(select(TOKENS).order_by(TOKENS.c.made.desc()))]

    def token(self, token_id: str) -> TokenRecord | None:
        """The token with this id."""
        with self._engine.connect() as connection:
            row = connection.execute(select(TOKENS).where(TOKENS.c.id == token_id)).one_or_none()
            return _token(row) if row is not None else None

    def revoke_token(self, token_id: str, now: datetime) -> bool:
        """Revoke a token; False if there is none or it is already revoked."""
        where = (TOKENS.c.id == token_id) & TOKENS.c.revoked.is_(None)
        with self._engine.begin() as connection:
            return connection.execute(update(TOKENS).where(where).values(revoked=to_microseconds(now))).rowcount == 1

    def note_use(self, token_id: str, now: datetime) -> None:
        """Record that a token was used."""
        with self._engine.begin() as connection:
            connection.execute(update(TOKENS).where(TOKENS.c.id == token_id).values(used=to_microseconds(now)))

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()


def _token(row: Row[Any]) -> TokenRecord:
    return TokenRecord(
        id=row.id,
        name=row.name,
        hash=row.hash,
        scopes=tuple(json.loads(row.scopes)),
        made=from_microseconds(row.made),
        expires=from_microseconds(row.expires) if row.expires is not None else None,
        revoked=from_microseconds(row.revoked) if row.revoked is not None else None,
        used=from_microseconds(row.used) if row.used is not None else None,
    )
