"""A generation: what a project's files meant at a moment, for good. Runs are pinned to the one they began with."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from engine.app.checking.check import Checked
from engine.app.files import write_whole
from engine.source import Files

from .manifest import Manifest

FORMAT: Final = 1
KEPT: Final = 10


@dataclass(frozen=True, slots=True)
class Generation:
    """`number` counts up. `held` are files that are not as they are on disk: those are broken, or touch what is."""

    number: int
    made: datetime
    files: Files
    checked: Checked
    held: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """The hash of its files."""
        return Manifest.of(self.files).digest


@dataclass(frozen=True, slots=True)
class Kept:
    """A generation as it was kept: its files, which are compiled again."""

    number: int
    made: datetime
    files: Files


@dataclass(frozen=True, slots=True)
class Pending:
    """Files that are right and wait to be applied, because of these risks. `digest` is the hash to apply them by."""

    digest: str
    risks: tuple[str, ...]
    since: datetime


class GenerationStore:
    """Keeps the newest generations as files in a folder: a restart over a broken tree finds the last good one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, generation: Generation) -> None:
        """Write it, whole or not at all, and let go of the oldest."""
        self._folder.mkdir(parents=True, exist_ok=True)
        raw = {name: base64.b64encode(value).decode() for name, value in generation.files.raw.items()}
        document = {
            "format": FORMAT,
            "number": generation.number,
            "made": generation.made.isoformat(),
            "digest": generation.digest,
            "files": raw,
        }
        write_whole(self._path(generation.number), json.dumps(document))
        for path in self._paths()[:-KEPT]:
            path.unlink(missing_ok=True)

    def hold(self, pending: Pending | None) -> None:
        """Write down what waits to be applied; None: nothing does."""
        if pending is None:
            with suppress(OSError):
                self._pending.unlink()
            return
        document = {"digest": pending.digest, "risks": list(pending.risks), "since": pending.since.isoformat()}
        with suppress(OSError):  # the log says it as well
            self._folder.mkdir(parents=True, exist_ok=True)
            write_whole(self._pending, json.dumps(document))

    def pending(self) -> Pending | None:
        """What waits to be applied, as a server has written it down."""
        try:
            found = json.loads(self._pending.read_text(encoding="utf-8"))
            return Pending(str(found["digest"]), tuple(found["risks"]), datetime.fromisoformat(found["since"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def approve(self, digest: str, who: str, now: datetime) -> None:
        """Somebody has looked at it: it may become live."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._approval(digest), json.dumps({"by": who, "at": now.isoformat()}))

    def is_approved(self, digest: str) -> bool:
        """Whether somebody has."""
        return self._approval(digest).exists()

    @property
    def _pending(self) -> Path:
        return self._folder / "pending"

    def _approval(self, digest: str) -> Path:
        return self._folder / f"approved-{digest}"

    def newest(self) -> Kept | None:
        """The newest that can be read; None when there is none."""

        for path in reversed(self._paths()):
            with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                found = json.loads(path.read_text(encoding="utf-8"))
                files = Files({name: base64.b64decode(value) for name, value in found["files"].items()})
                if found["format"] == FORMAT and Manifest.of(files).digest == found["digest"]:
                    return Kept(int(found["number"]), datetime.fromisoformat(found["made"]), files)
        return None

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08}.json"

    def _paths(self) -> Sequence[Path]:
        return sorted(self._folder.glob("*.json")) if self._folder.is_dir() else []
