"""Making live what waits in a protected project."""

from __future__ import annotations

from pathlib import Path

from .errors import Exit, RefusalError
from .git import user_name
from .reload.generation import GenerationStore, Pending
from .settings import project_settings
from .state import state_paths, utc_now


def pending_now(root: Path) -> Pending | None:
    """What waits to be applied."""
    return _store(root).pending()


def apply_pending(root: Path, digest: str) -> Pending:
    """Say that what waits may become live. RefusalError (5) when something else waits than what `digest` begins."""
    store = _store(root)
    pending = store.pending()
    if pending is None:
        raise RefusalError(Exit.BUSY, "nothing is pending", "`weir serve` says when something waits, and by which hash")
    if len(digest) < 8 or not pending.digest.startswith(digest):
        message = f"what is pending is {pending.digest[:12]}, not `{digest}`"
        raise RefusalError(Exit.BUSY, message, "look at it again, and apply it by its hash")
    store.approve(pending.digest, user_name(), utc_now())
    return pending


def _store(root: Path) -> GenerationStore:
    return GenerationStore(state_paths(root, project_settings(root).state).generations)
