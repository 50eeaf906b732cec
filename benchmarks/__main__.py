"""Loads the same objects in several ways, side by side in one run, and prints a table.

    python -m benchmarks [--rows 100000] [--sdk-rows 5000] [--rounds 3]

Every way is a process of its own; its CPU time and peak memory are the operating system's account of it and of its
children. Machines are noisy: read the ratios. Results go to benchmarks/results/load.json.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).parent
BOTH = "SELECT (SELECT count(*) FROM charges) + (SELECT count(*) FROM customers) AS rows"
"""What `weir staging` asks for: every row is read and staged, and only counted."""
ROOT = HERE.parent


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of loading: CPU microseconds a row, rows per CPU second, wall seconds, peak megabytes."""

    way: str
    rows: int
    cpu_us_per_row: float
    rows_per_cpu_second: int
    wall_seconds: float
    peak_mb: int


@contextmanager
def server(rows: int) -> Iterator[str]:
    """A list server with `rows` charges and as many customers; yields its URL."""
    command = [sys.executable, "-m", "benchmarks.server", f"--charges={rows}", f"--customers={rows}"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield json.loads(process.stdout.readline())["url"]
        finally:
            process.stdin.close()


def timed(command: list[str], cwd: Path, environment: dict[str, str]) -> tuple[float, float, int]:
    """Run a command: CPU seconds, wall seconds, peak kilobytes. Raises if it fails."""
    start = datetime.datetime.now(datetime.UTC)
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = (datetime.datetime.now(datetime.UTC) - start).total_seconds()
        if process.returncode:
            errors.seek(0)
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{errors.read().decode()}")
    return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss


def project(folder: Path, url: str) -> None:
    """A Weir project that brings both lists to the Schema."""
    shutil.copytree(HERE / "project", folder)
    connection = folder / "connections" / "bench.yaml"
    connection.write_text(connection.read_text().replace("http://127.0.0.1:1", url))


def measure(way: str, rows: int, url: str, folder: Path) -> Measured:
    """One round of one way, in a fresh folder."""
    environment = {**os.environ, "STRIPE_SECRET_KEY": "sk_test_benchmark", "PYTHONPATH": str(ROOT)}
    rival, _, option = way.partition(" ")
    if rival == "weir":
        project(folder, url)
        verb = ["query", "bench", BOTH] if option == "staging" else ["run"]
        command = [sys.executable, "-m", "engine.cli", "--project", str(folder), *verb, "--no-isolated"]
    else:
        folder.mkdir()
        command = [sys.executable, "-m", f"benchmarks.rivals.{rival}", url, str(folder / "out.duckdb"), *option.split()]
    cpu, wall, peak = timed(command, ROOT, environment)
    return Measured(way, 2 * rows, cpu / (2 * rows) * 1e6, round(2 * rows / cpu), wall, peak // 1024)


def rounds(ways: list[tuple[str, int]], count: int) -> list[Measured]:
    """The median round of each way; ways take turns, so that a slow minute hits all of them."""
    taken: dict[str, list[Measured]] = {}
    for rows in sorted({rows for _, rows in ways}):
        with server(rows) as url, tempfile.TemporaryDirectory() as temporary:
            for turn in range(count):
                for way, way_rows in ways:
                    if way_rows == rows:
                        folder = Path(temporary) / f"{way.replace(' ', '')}-{turn}"
                        taken.setdefault(way, []).append(measure(way, rows, url, folder))
                        shutil.rmtree(folder)
    middle = [sorted(found, key=lambda m: m.cpu_us_per_row)[len(found) // 2] for found in taken.values()]
    return sorted(middle, key=lambda measured: measured.cpu_us_per_row)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="charges, and as many customers")
    parser.add_argument("--sdk-rows", type=int, default=5_000, help="the same, for the SDK's own way, which is slow")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    ways = [
        ("floor", arguments.rows),
        ("floor --raw", arguments.rows),
        ("weir", arguments.rows),
        ("weir staging", arguments.rows),
        ("sdk", arguments.sdk_rows),
    ]
    results = rounds(ways, arguments.rounds)
    base = next(measured for measured in results if measured.way == "weir").cpu_us_per_row
    print(f"{'way':<14}{'rows':>10}{'CPU µs/row':>12}{'rows/CPU s':>12}{'× weir':>8}{'wall s':>8}{'peak MB':>9}")
    for m in results:
        print(
            f"{m.way:<14}{m.rows:>10,}{m.cpu_us_per_row:>12.1f}{m.rows_per_cpu_second:>12,}"
            f"{m.cpu_us_per_row / base:>8.2f}{m.wall_seconds:>8.1f}{m.peak_mb:>9,}"
        )
    target = HERE / "results" / "load.json"
    target.parent.mkdir(exist_ok=True)
    report = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "rounds": arguments.rounds,
        "ways": [asdict(measured) for measured in results],
    }
    target.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
