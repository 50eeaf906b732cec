"""Watching a project's folder: events only wake; what counts is what a scan finds.

Folders are watched, never files, because editors, ConfigMaps and git-sync put new files, folders or links in the place
of old ones. A scan is due after every event, and by itself now and then: what no event tells is found, too. What is
watched is armed anew whenever a folder's real path or identity has changed. While the root is away nothing has changed:
what cannot be looked at is not gone.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engine.source import Files

from .manifest import Manifest, read_now

_QUIET: Final = 0.3
_LONGEST: Final = 2.0
_STEP: Final = 0.1
_RESCAN: Final = 2.0
_TICK_MS: Final = 250
_SHARE: Final = 20
"""Scans without an event take a twentieth of the time at most, however many files there are."""

_DEEPEST: Final = 16
_FOLDERS: Final = ("connections", "interfaces", "schemas")


@dataclass(frozen=True, slots=True)
class Pace:
    """How a watcher waits, in seconds. A change counts when nothing has changed for `quiet`, after `longest` at the
    latest. `rescan` is the time between two scans without an event. `polling`: there are no events."""

    quiet: float = _QUIET
    longest: float = _LONGEST
    step: float = _STEP
    rescan: float = _RESCAN
    polling: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What a scan has found: the files, and the manifest of their bytes."""

    files: Files
    manifest: Manifest


class Watcher:
    """Yields what the project's files are, whenever that has changed, until `stop` is set."""

    def __init__(
        self, root: Path, stop: threading.Event, pace: Pace | None = None, read: Callable[[Path], Files] = read_now
    ) -> None:
        self._root = root
        self._stop = stop
        self._pace = pace or Pace()
        self._read = read
        self._rest = self._pace.rescan

    def scan(self) -> Seen:
        """Read all files now."""
        start = time.monotonic()
        files = self._read(self._root)
        seen = Seen(files, Manifest.of(files))
        self._rest = max(self._pace.rescan, _SHARE * (time.monotonic() - start))
        return seen

    def changes(self, known: Manifest) -> Iterator[Seen]:
        """What is there, each time that it differs from what was yielded last (`known` at first), once it is quiet."""
        for _ in self._wakes():
            seen = self._settled(known)
            if seen is not None:
                known = seen.manifest
                yield seen

    def _settled(self, known: Manifest) -> Seen | None:
        """The files when they have come to rest, read twice with one result. None when they are as they were, or when
        the folder is not there."""
        seen = self.scan()
        if seen.manifest == known:
            return None
        start = quiet_since = time.monotonic()
        while not self._stop.wait(self._pace.step):
            again = self.scan()
            now = time.monotonic()
            if again.manifest != seen.manifest:
                seen, quiet_since = again, now
            elif now - quiet_since >= self._pace.quiet or now - start >= self._pace.longest:
                return again if again.manifest != known and self._root.is_dir() else None
        return None

    def _wakes(self) -> Iterator[None]:
        """Yields when something may have changed: after an event, after folders were armed, and now and then."""
        while not self._stop.is_set():
            if self._pace.polling:
                yield
                self._stop.wait(self._rest)
            else:
                yield from self._wakes_while_armed(self._armed())

    def _wakes_while_armed(self, armed: list[tuple[str, int]]) -> Iterator[None]:
        """The wakes until the folders are others than those that are watched."""
        from watchfiles import watch

        events = watch(
            *(path for path, _ in armed),
            watch_filter=None,
            debounce=50,
            step=20,
            rust_timeout=_TICK_MS,
            yield_on_timeout=True,
            stop_event=self._stop,
            recursive=False,
            raise_interrupt=False,
        )
        due = 0.0  # what happened before the folders were armed is found by a scan at once
        try:
            for changes in events:
                if not changes and time.monotonic() < due:
                    continue
                yield
                due = time.monotonic() + self._rest
                if self._armed() != armed:
                    return
        except (OSError, RuntimeError):  # a folder went away while it was armed, or there are no watches left
            yield
            self._stop.wait(self._pace.quiet)
        finally:
            events.close()

    def _armed(self) -> list[tuple[str, int]]:
        """(real path, inode) of every folder whose entries matter: the root, its parent, and what is below."""
        found: dict[str, int] = {}

        def add(path: Path, depth: int) -> None:
            try:
                real = os.path.realpath(path)
                identity = os.stat(real).st_ino  # noqa: PTH116 - of a path that is text already
                entries = [entry for entry in os.scandir(real) if entry.is_dir()] if depth > 0 else []
            except OSError:
                return
            if real in found:
                return
            found[real] = identity
            for entry in entries:
                add(Path(entry.path), depth - 1)

        add(self._root.absolute().parent, 0)
        add(self._root, 0)
        for name in _FOLDERS:
            add(self._root / name, _DEEPEST)
        return sorted(found.items())
