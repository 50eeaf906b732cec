"""The server, the measured processes and the reports of the benchmarks."""

from __future__ import annotations

import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
RESULTS = HERE / "results"
BOTH = "SELECT (SELECT count(*) FROM charges) + (SELECT count(*) FROM customers) AS rows"
"""What `weir query` is asked: every row is read and staged, and only counted."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Resources of a process and its children, measured by the operating system."""

    cpu_seconds: float
    wall_seconds: float
    peak_mb: int
    output: str


@dataclass(frozen=True, slots=True)
class Stripe:
    """The benchmark server."""

    url: str

    def ask(self, path: str) -> dict[str, Any]:
        """Call a control endpoint."""
        with urllib.request.urlopen(self.url + path) as answer:
            found: dict[str, Any] = json.load(answer)
            return found


@contextmanager
def server(charges: int, customers: int, *options: str) -> Iterator[Stripe]:
    """Serve this number of objects until the context ends."""
    command = [sys.executable, "-m", "benchmarks.server", f"--charges={charges}", f"--customers={customers}", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield Stripe(json.loads(process.stdout.readline())["url"])
        finally:
            process.stdin.close()


def timed(command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Spent:
    """Run a command to its end. SystemExit with what it said when it fails."""
    start = time.monotonic()
    with tempfile.TemporaryFile() as errors, tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=cwd, env=environment or clean(), stdout=output, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - start
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{errors.read().decode()}")
        text = output.read().decode()
    return Spent(usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss // 1024, text)


def clean() -> dict[str, str]:
    """The environment of measured processes. Keeps compiled modules, as on a user's machine."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "STRIPE_SECRET_KEY": "sk_test_benchmark", "PYTHONPATH": str(ROOT)}


def make_project(folder: Path, url: str, name: str = "load") -> None:
    """A Weir project on the server: `load` brings both lists to the Schema, `spend` what each customer has paid."""
    shutil.copytree(HERE / "projects" / name, folder)
    connection = folder / "connections" / "bench.yaml"
    connection.write_text(connection.read_text().replace("http://127.0.0.1:1", url))


def weir(folder: Path, *arguments: str) -> list[str]:
    """The command line of a verb on a project."""
    return [sys.executable, "-m", "engine.cli", "--project", str(folder), *arguments]


def staged(folder: Path, question: str = BOTH) -> list[str]:
    """The command that only stages the data of a query."""
    return weir(folder, "query", "bench", question, "--no-isolated", "--format", "csv")


def rival(name: str, *arguments: str) -> list[str]:
    """The command line of a rival."""
    return [sys.executable, "-m", f"benchmarks.rivals.{name}", *arguments]


def save(name: str, report: Mapping[str, object]) -> None:
    """Write a report, with the date and the kind of machine, to results/<name>.json."""
    RESULTS.mkdir(exist_ok=True)
    head = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    }
    (RESULTS / f"{name}.json").write_text(json.dumps({**head, **report}, indent=2) + "\n")


def show(columns: Sequence[tuple[str, int]], rows: Sequence[Sequence[object]]) -> None:
    """Print a table. A column is its title and its width; the first one is aligned to the left."""
    widths = [width for _, width in columns]
    for row in ([title for title, _ in columns], *rows):
        first, *rest = [f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row]
        print(first.ljust(widths[0]) + "".join(cell.rjust(w) for cell, w in zip(rest, widths[1:], strict=True)))
    print(flush=True)
