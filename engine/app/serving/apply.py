"""Making live what waits in a protected project."""

from __future__ import annotations

from ..errors import Exit, RefusalError
from ..git import user_name
from ..reload.generation import GenerationStore, Pending
from ..state import utc_now
from ..workspace import Workspace
from .audit import Audit


def pending_now(workspace: Workspace) -> Pending | None:
    """What waits to be applied."""
    return GenerationStore(workspace.paths.generations).pending()


def apply_pending(workspace: Workspace, digest: str) -> Pending:
    """Say that what waits may become live. RefusalError (5) when something else waits than what `digest` begins."""
    store = GenerationStore(workspace.paths.generations)
    pending = store.pending()
    if pending is None:
        raise RefusalError(Exit.BUSY, "nothing is pending", "`weir serve` says when something waits, and by which hash")
    if len(digest) < 8 or not pending.digest.startswith(digest):
        message = f"what is pending is {pending.digest[:12]}, not `{digest}`"
        raise RefusalError(Exit.BUSY, message, "look at it again, and apply it by its hash")
    who = user_name()
    store.approve(pending.digest, who, utc_now())
    known = {"digest": pending.digest, "risks": list(pending.risks)}
    Audit(workspace.paths.audit, utc_now).note("apply", who=f"user {who}", result="done", **known)
    return pending
