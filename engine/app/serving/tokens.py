"""Tokens of the API: made once, kept as a hash, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from engine import stores
from engine.app.errors import Exit, RefusalError
from engine.app.git import user_name
from engine.app.state import StatePaths, utc_now
from engine.app.workspace import Workspace

from .audit import Audit

Scope = Literal["read", "run", "admin"]
SCOPES: Final[tuple[Scope, ...]] = ("read", "run", "admin")
"""What a token may do: look; run interfaces and cancel runs; have the definitions read anew. None holds another."""

_FORM: Final = re.compile(r"weir_([0-9a-f]{12})_([0-9a-f]{64})")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}")
_NOBODY: Final = hashlib.sha256(b"").hexdigest()
_NOTE_EVERY: Final = timedelta(minutes=1)
"""How exactly it is known when a token was last used: a write for each request would be too much."""


def new_token(
    workspace: Workspace, name: str, scopes: Sequence[str], lifetime: timedelta | None
) -> tuple[str, stores.TokenRecord]:
    """Make a token; its text, which nobody can see again, and what is kept of it. RefusalError for a bad name."""

    if not _NAME.fullmatch(name) or name == "schedule":
        raise RefusalError(
            Exit.USAGE, f"`{name}` is no name for a token", "letters, digits and `_ . @ -`, at most 63; not `schedule`"
        )
    workspace.demand_project()
    now = utc_now()
    token_id, secret = secrets.token_hex(6), secrets.token_hex(32)
    wanted = tuple(scope for scope in SCOPES if scope in scopes)
    expires = now + lifetime if lifetime is not None else None
    record = stores.TokenRecord(token_id, name, hash_of(secret), wanted, now, expires)
    store = workspace.serving()
    if any(each.name == name and each.revoked is None for each in store.tokens()):
        raise RefusalError(Exit.USAGE, f"there is a token `{name}` already", "revoke it first, or choose another name")
    store.add_token(record)
    _audit(workspace.paths, "token new", token=name, id=token_id, scopes=list(wanted))
    return f"weir_{token_id}_{secret}", record


def list_tokens(workspace: Workspace) -> Sequence[stores.TokenRecord]:
    """All tokens, the newest first."""
    workspace.demand_project()
    return workspace.serving().tokens() if workspace.has_runs else []


def revoke_token(workspace: Workspace, which: str) -> stores.TokenRecord:
    """End a token for good, by its name or id. RefusalError when there is none that holds."""
    workspace.demand_project()
    store = workspace.serving()
    found = next((each for each in store.tokens() if which in (each.name, each.id) and each.revoked is None), None)
    if found is None or not store.revoke_token(found.id, utc_now()):
        raise RefusalError(Exit.USAGE, f"no token `{which}` that holds", "`weir token list` shows them")
    _audit(workspace.paths, "token revoke", token=found.name, id=found.id)
    return found


def hash_of(secret: str) -> str:
    """What is kept of a token. It has 256 random bits: a plain hash cannot be turned back."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(slots=True)
class Keys:
    """Says whose token a text is. For several threads."""

    store: stores.SqlServingStore
    now: Callable[[], datetime]
    _noted: dict[str, datetime] = field(default_factory=dict)

    def holder(self, text: str) -> stores.TokenRecord | None:
        """The token, if it is one that holds: known, not revoked, not expired. Takes as long for a wrong secret as for
        an unknown id."""
        match = _FORM.fullmatch(text)
        if match is None:
            return None
        record = self.store.token(match[1])
        same = hmac.compare_digest(hash_of(match[2]), record.hash if record is not None else _NOBODY)
        if record is None or not same or record.revoked is not None:
            return None
        now = self.now()
        if record.expires is not None and record.expires <= now:
            return None
        noted = self._noted.get(record.id)
        if noted is None or now - noted >= _NOTE_EVERY:
            self._noted[record.id] = now
            self.store.note_use(record.id, now)
        return record


def _audit(paths: StatePaths, what: str, **known: object) -> None:
    Audit(paths.audit, utc_now).note(what, who=f"user {user_name()}", result="done", **known)
