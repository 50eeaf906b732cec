"""A watcher on a real folder, and the changes it has reported."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.app.reload.manifest import Manifest, read_now
from engine.app.reload.watcher import Pace, Seen, Watcher
from engine.source import Files

BOUND = 20.0
"""Seconds after which a change counts as missed: far more than it takes, also on a busy machine."""

EVENTS = Pace(rescan=600)
"""Only events wake the watcher: a change without an event is missed."""

PATIENT = Pace(quiet=2.0, longest=60.0, rescan=600)
"""The same with a wait longer than any delay of a busy machine."""


def write(root: Path, name: str, text: str) -> Path:
    """Write a file of the project in place."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


class Watched:
    """Follows a watcher that runs in its own thread."""

    def __init__(self, root: Path, pace: Pace, read: Callable[[Path], Files]) -> None:
        self.root = root
        self.stop = threading.Event()
        self.scans = 0
        self._read = read
        self._told: queue.Queue[Seen] = queue.Queue()
        self._watcher = Watcher(root, self.stop, pace, self._counted)
        self.seen = self._watcher.scan()
        self._thread = threading.Thread(target=self._follow, args=(self.seen.manifest,))
        self._thread.start()

    def next(self) -> set[str]:
        """The files of the next change."""
        seen = self._told.get(timeout=BOUND)
        before, self.seen = self.seen, seen
        return set(seen.manifest.changed(before.manifest))

    def until(self, name: str, text: str) -> int:
        """The number of changes until the file has this text."""
        for number in range(1, 100):
            self.next()
            if self.seen.files.raw.get(name) == text.encode():
                return number
        raise AssertionError(f"{name} never said {text}")

    def demand_rest(self) -> None:
        """Assert that no other change is pending: an edit made now is the next change, alone."""
        write(self.root, "schemas/marker.yaml", f"# {time.monotonic_ns()}")
        assert self.next() == {"schemas/marker.yaml"}
        assert self._told.empty()

    def wait_for_scans(self, number: int) -> None:
        """Wait until this many more scans have started."""
        wanted, end = self.scans + number, time.monotonic() + BOUND
        while self.scans < wanted:
            assert time.monotonic() < end, f"{self.scans} scans, not {wanted}"
            time.sleep(0.01)

    def close(self) -> None:
        """Stop the watcher and wait for its end."""
        self.stop.set()
        self._thread.join(BOUND)
        assert not self._thread.is_alive()

    def _counted(self, root: Path) -> Files:
        self.scans += 1
        return self._read(root)

    def _follow(self, known: Manifest) -> None:
        for seen in self._watcher.changes(known):
            self._told.put(seen)


@contextmanager
def watching(root: Path, pace: Pace = EVENTS, read: Callable[[Path], Files] = read_now) -> Iterator[Watched]:
    """A watcher that watches its folders and has scanned them once."""
    watched = Watched(root, pace, read)
    try:
        watched.wait_for_scans(1)
        yield watched
    finally:
        watched.close()
