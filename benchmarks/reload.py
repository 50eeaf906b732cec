"""The time of a reload after an edit of one of many definitions, and resource leaks over thousands of reloads.

    python -m benchmarks.reload [--definitions 1000] [--rounds 15] [--count 1000]

An edit is timed from the scan of the folder to the new generation on disk, in CPU of this process. Then a project of 50
definitions is reloaded `--count` times, each time with a text that was never there before: boxes, tables and mistakes.
Its memory is looked at after a tenth of them and at the end.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.definitions import write
from benchmarks.measure import save, show
from engine.app.checking.check import Checker
from engine.app.reload.generation import GenerationStore
from engine.app.reload.reloader import Reload, Reloader
from engine.app.reload.watcher import Watcher
from engine.app.state import utc_now
from engine.app.workspace import Workspace

SMALL = 50


class Folder:
    """A project on disk, and what looks at it."""

    def __init__(self, workspace: Workspace, checker: Checker) -> None:
        self.root = root = workspace.root
        self._watcher = Watcher(root, threading.Event())
        self._reloader = Reloader(workspace, checker, GenerationStore(workspace.paths.generations), utc_now)

    def reload(self) -> Reload:
        """Scan and offer, as a watcher does after an event."""
        return self._reloader.offer(self._watcher.scan().files)

    def edit(self, name: str, text: str) -> None:
        """Write a file of the project."""
        (self.root / name).write_text(text)


@contextmanager
def opened(definitions: int) -> Iterator[Folder]:
    """A project that is live already."""
    with tempfile.TemporaryDirectory() as temporary:
        workspace = Workspace.open(Path(temporary) / "project")
        write(workspace.root, definitions)
        with Checker(workspace, remembers=True) as checker:
            folder = Folder(workspace, checker)
            folder.reload()
            yield folder


def edits(definitions: int, rounds: int) -> list[float]:
    """CPU seconds of each of the reloads after an edit of one SQL box."""
    name = "interfaces/load_0.yaml"
    found = []
    with opened(definitions) as folder:
        text = (folder.root / name).read_text()
        for number in range(rounds):
            folder.edit(name, text.replace("created >= ", f"balance <> {number} AND created >= "))
            start = time.process_time()
            reload = folder.reload()
            found.append(time.process_time() - start)
            if reload.delta.changed != ("load_0",):
                raise SystemExit(f"not the edit that was made: {reload.delta}")
    return found


def soak(count: int) -> dict[str, float]:
    """Memory and time of many reloads, none like another."""
    boxes, tables = "interfaces/load_0.yaml", "schemas/table_1.yaml"
    live = 0
    with opened(SMALL) as folder:
        box, table = (folder.root / boxes).read_text(), (folder.root / tables).read_text()
        start, early = time.process_time(), 0.0
        for number in range(1, count + 1):
            kind = number % 5
            if kind == 0:
                folder.edit(tables, table.replace("columns:\n", f"columns:\n  extra_{number}: text\n"))
            mistake = "no_such_column" if kind == 1 else "balance"
            folder.edit(boxes, box.replace("created >= ", f"{mistake} <> {number} AND created >= "))
            live += folder.reload().is_new
            if number == max(1, count // 10):
                early = memory()
        spent = time.process_time() - start
    return {
        "reloads": count,
        "generations": live,
        "reload_cpu_ms": round(1000 * spent / count, 1),
        "mb_after_a_tenth": round(early, 1),
        "mb_at_the_end": round(memory(), 1),
    }


def memory() -> float:
    """Megabytes of this process now (Linux), or at most so far (elsewhere)."""
    statistics_of_memory = Path("/proc/self/statm")
    if statistics_of_memory.exists():
        return int(statistics_of_memory.read_text().split()[1]) * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--definitions", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--count", type=int, default=1000)
    given = parser.parse_args(arguments)
    spent = edits(given.definitions, given.rounds)
    report = {
        "definitions": given.definitions,
        "edit_cpu_seconds": round(statistics.median(spent), 3),
        "edit_cpu_seconds_least": round(min(spent), 3),
        **soak(given.count),
    }
    show([("figure", 24), ("", 10)], list(report.items()))
    save("reload", report)


if __name__ == "__main__":
    main()
