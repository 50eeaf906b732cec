"""Resource leaks of a server over thousands of runs: memory, open files, threads.

    python -m benchmarks.soak [--runs 1000] [--edit-every 10] [--isolated]

`weir serve` runs two imports against the embedded sandbox, ordered by the API one after the other. Before every tenth
run a SQL box is edited and the definitions are reloaded. What the server's process holds is looked at after each tenth
of the runs; growth is that of the second half, since by then all is there that is kept for later. SQL boxes run in the
server itself unless `--isolated` puts them into child processes, as it is by default: what a child holds ends with it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.measure import clean, make_project, save, show, weir

INTERFACE = "load"
SCOPES = ("read", "run", "admin")
WAIT_SECONDS = 120.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Look:
    """Resources of a process after a number of runs, and CPU seconds including its ended children."""

    runs: int
    mb: float
    files: int
    threads: int
    cpu_seconds: float
    wall_seconds: float


@dataclass(frozen=True, slots=True)
class Server:
    """A server of a project and its API client."""

    process: int
    connection: HTTPConnection
    token: str

    def ask(self, path: str, body: object = None) -> dict[str, Any]:
        """The response to a POST. SystemExit for an error status."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self.connection.request("POST", path, None if body is None else json.dumps(body), headers)
        answer = self.connection.getresponse()
        found: dict[str, Any] = json.loads(answer.read())
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {found}")
        return found

    def look(self, runs: int, since: float) -> Look:
        """The current resources of the process."""
        of_process = Path(f"/proc/{self.process}")
        # Behind the name, which may hold anything: utime, stime and those of ended children are fields 14 to 17.
        fields = (of_process / "stat").read_text().rpartition(")")[2].split()
        pages = int((of_process / "statm").read_text().split()[1])
        return Look(
            runs,
            round(pages * resource.getpagesize() / 2**20, 1),
            len(list((of_process / "fd").iterdir())),
            len(list((of_process / "task").iterdir())),
            round(sum(int(each) for each in fields[11:15]) / _TICKS, 2),
            round(time.monotonic() - since, 2),
        )


@contextmanager
def serving(folder: Path, options: Sequence[str]) -> Iterator[Server]:
    """A server of the project in `folder`, until the context ends."""
    made = [part for scope in SCOPES for part in ("--scope", scope)]
    token = subprocess.run(
        weir(folder, "token", "new", "soak", *made), env=clean(), check=True, capture_output=True, text=True
    ).stdout.strip()
    command = weir(folder, "serve", "--port", "0", *options)
    with (folder.parent / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=clean(), stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline().split()[2].rpartition(":")[2])
        yield Server(process.pid, HTTPConnection("127.0.0.1", port, timeout=WAIT_SECONDS), token)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(WAIT_SECONDS)


def soak(runs: int, edit_every: int, options: Sequence[str]) -> list[Look]:
    """Run an interface repeatedly. Returns the resources after each tenth."""
    looks = []
    tenth = max(1, runs // 10)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        make_project(folder, "sandbox", "load")
        interface = folder / "interfaces" / f"{INTERFACE}.yaml"
        text = interface.read_text() + "triggers: {api: true}\n"
        interface.write_text(text)
        with serving(folder, options) as server:
            start = time.monotonic()
            for number in range(1, runs + 1):
                if edit_every and number % edit_every == 0:
                    interface.write_text(text.replace("FROM customers", f"FROM customers WHERE balance <> {number}"))
                    if not server.ask("/reload?wait=1")["is_new"]:
                        raise SystemExit(f"edit {number} is not live")
                server.ask(f"/interfaces/{INTERFACE}/runs", {"wait": True})
                if number % tenth == 0:
                    looks.append(server.look(number, start))
    return looks


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--edit-every", type=int, default=10, help="0: never")
    parser.add_argument("--isolated", action=argparse.BooleanOptionalAction, default=False)
    given = parser.parse_args(arguments)
    if given.runs < 10:
        parser.error("10 runs at least")
    looks = soak(given.runs, given.edit_every, ["--isolated" if given.isolated else "--no-isolated"])
    half, end = looks[len(looks) // 2 - 1], looks[-1]
    report = {
        "runs": end.runs,
        "edits": end.runs // given.edit_every if given.edit_every else 0,
        "boxes": "in child processes" if given.isolated else "in the server",
        "growth_kb_per_run": round(1024 * (end.mb - half.mb) / (end.runs - half.runs), 1),
        "cpu_seconds_per_run": round(end.cpu_seconds / end.runs, 2),
        "wall_seconds_per_run": round(end.wall_seconds / end.runs, 2),
    }
    titles = [("runs", 8), ("MB", 9), ("open files", 12), ("threads", 9), ("CPU s", 10), ("wall s", 10)]
    show(titles, [list(asdict(each).values()) for each in looks])
    show([("figure", 24), ("", 20)], list(report.items()))
    save("soak", {**report, "looks": [asdict(each) for each in looks]})


if __name__ == "__main__":
    main()
