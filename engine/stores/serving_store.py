"""What servers share: when interfaces are due, and who may call the API."""

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
from .moments import instant, moment
from .tables import CLAIMS, RUNS, SCHEDULES, TOKENS


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A token of the API. `hash` is of its secret part; `scopes` are what it may do."""

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
    """A start that the process `owner` has taken: the run `run` is to be, or was, for what was due then."""

    interface: str
    due: datetime
    run: str
    owner: str


def open_serving_store(path: Path) -> SqlServingStore:
    """The store in the SQLite file at `path`, which run state may share. Raises `StoreError`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqlServingStore(sqlite_url(path))


class SqlServingStore:
    """Due times (`DueTimes`) and tokens in the database at `url`. For several threads and processes at once."""

    def __init__(self, url: str) -> None:
        self._engine = open_database(url)

    def due(self) -> Mapping[str, datetime]:
        """By interface, when it is due."""
        with self._engine.connect() as connection:
            return {row.interface: moment(row.due) for row in connection.execute(select(SCHEDULES))}

    def move_due(self, interface: str, before: datetime | None, after: datetime, claim: Claim | None = None) -> bool:
        """Put the due time from `before` to `after`: of servers that try it at once, one succeeds. With it the claim is
        kept."""
        with self._engine.begin() as connection:
            if before is None:
                try:
                    with connection.begin_nested():
                        connection.execute(insert(SCHEDULES).values(interface=interface, due=instant(after)))
                except IntegrityError:
                    return False
                return True
            where = (SCHEDULES.c.interface == interface) & (SCHEDULES.c.due == instant(before))
            if connection.execute(update(SCHEDULES).where(where).values(due=instant(after))).rowcount != 1:
                return False
            if claim is not None:
                row = {"run": claim.run, "interface": claim.interface, "due": instant(claim.due), "owner": claim.owner}
                connection.execute(insert(CLAIMS).values(row))
            return True

    def claims(self) -> Sequence[Claim]:
        """The starts that were taken and are not settled."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(CLAIMS).order_by(CLAIMS.c.due))
            return [Claim(row.interface, moment(row.due), row.run, row.owner) for row in rows]

    def take_over(self, claim: Claim, owner: str) -> bool:
        """Have the claim of a process that is gone: of servers that try it at once, one succeeds."""
        where = (CLAIMS.c.run == claim.run) & (CLAIMS.c.owner == claim.owner)
        with self._engine.begin() as connection:
            return connection.execute(update(CLAIMS).where(where).values(owner=owner)).rowcount == 1

    def settle(self, run: str, owner: str) -> None:
        """The start that `owner` has claimed has become a run, or nothing more is to become of it."""
        with self._engine.begin() as connection:
            connection.execute(delete(CLAIMS).where((CLAIMS.c.run == run) & (CLAIMS.c.owner == owner)))

    def has_begun(self, run: str) -> bool:
        """Whether the run history has this run."""
        with self._engine.connect() as connection:
            return connection.execute(select(RUNS.c.id).where(RUNS.c.id == run)).first() is not None

    def add_token(self, token: TokenRecord) -> None:
        """Keep a new token."""
        row = {
            "id": token.id,
            "name": token.name,
            "hash": token.hash,
            "scopes": json.dumps(list(token.scopes)),
            "made": instant(token.made),
            "expires": instant(token.expires) if token.expires is not None else None,
        }
        with self._engine.begin() as connection:
            connection.execute(insert(TOKENS).values(row))

    def tokens(self) -> Sequence[TokenRecord]:
        """All tokens, the newest first."""
        with self._engine.connect() as connection:
            return [_token(row) for row in connection.execute(select(TOKENS).order_by(TOKENS.c.made.desc()))]

    def token(self, token_id: str) -> TokenRecord | None:
        """The token with this id."""
        with self._engine.connect() as connection:
            row = connection.execute(select(TOKENS).where(TOKENS.c.id == token_id)).one_or_none()
            return _token(row) if row is not None else None

    def revoke_token(self, token_id: str, now: datetime) -> bool:
        """End a token for good; False when there is none, or it was revoked before."""
        where = (TOKENS.c.id == token_id) & TOKENS.c.revoked.is_(None)
        with self._engine.begin() as connection:
            return connection.execute(update(TOKENS).where(where).values(revoked=instant(now))).rowcount == 1

    def note_use(self, token_id: str, now: datetime) -> None:
        """A token was used."""
        with self._engine.begin() as connection:
            connection.execute(update(TOKENS).where(TOKENS.c.id == token_id).values(used=instant(now)))

    def close(self) -> None:
        """Release the database."""
        self._engine.dispose()


def _token(row: Row[Any]) -> TokenRecord:
    return TokenRecord(
        id=row.id,
        name=row.name,
        hash=row.hash,
        scopes=tuple(json.loads(row.scopes)),
        made=moment(row.made),
        expires=moment(row.expires) if row.expires is not None else None,
        revoked=moment(row.revoked) if row.revoked is not None else None,
        used=moment(row.used) if row.used is not None else None,
    )
