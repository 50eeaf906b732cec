"""Exports: throughput of creates under a rate limit, and the cost of planning when little has changed.

    python -m benchmarks.exports [--creates 10000] [--rate 100] [--latency 0.1] [--rows 100000]

Creates go to the sandbox, which responds after `--latency` seconds and limits requests to `--rate` per second.
Planning compares `--rows` customers of the fast server with rows of which one in a hundred differs; their
mirror is fresh before. Afterwards as many objects must be there as rows, each once; a second run must write nothing.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from benchmarks.measure import ROOT, clean, make_project, save, server, show, timed, weir

KEY = "sk_test_weir_sandbox"


@contextmanager
def sandbox(rate: int, latency: float) -> Iterator[str]:
    """The address of an empty sandbox with a limit and a latency."""
    options = ["--size", "empty", "--rate", str(rate), "--port", "0", "--until-stdin-closes"]
    command = [sys.executable, "-m", "engine.sandbox", *options]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        url = str(json.loads(process.stdout.readline())["url"])
        body = json.dumps({"kind": "latency", "seconds": latency}).encode()
        urllib.request.urlopen(urllib.request.Request(f"{url}/_sandbox/faults", data=body, method="POST")).close()
        try:
            yield url
        finally:
            process.stdin.close()


def creates(number: int, rate: int, latency: float) -> dict[str, Any]:
    """Measure creates, from the start of the first to the end of the last."""
    environment = {**clean(), "STRIPE_SECRET_KEY": KEY}
    with sandbox(rate, latency) as url, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        make_project(folder, url, "export")
        timed(weir(folder, "run", "fill", "--param", f"rows={number}"), environment)
        spent = timed(weir(folder, "run", "create"), environment)
        again = timed(weir(folder, "run", "create", "--format", "json"), environment)
        with closing(sqlite3.connect(folder / ".weir" / "state.db")) as ledger:
            states = dict(ledger.execute("SELECT state, count(*) FROM ops GROUP BY state"))
            distinct, first, last = ledger.execute(
                "SELECT count(DISTINCT result), min(sent), max(ended) FROM ops"
            ).fetchone()
    if states != {"done": number} or distinct != number or '"created": ' in again.output:
        raise SystemExit(f"expected {number} creates, each once: {states}, {distinct} objects")
    seconds = (last - first) / 1e6
    return {
        "creates": number,
        "rate_limit": rate,
        "latency_seconds": latency,
        "seconds": round(seconds, 1),
        "per_second": round(number / seconds, 1),
        "of_limit": round(number / seconds / rate, 3),
        "cpu_seconds": round(spent.cpu_seconds, 2),
        "peak_mb": spent.peak_mb,
    }


def planning(rows: int) -> dict[str, Any]:
    """Measure a plan in which one in a hundred rows differs."""
    with server(0, rows) as stripe, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        make_project(folder, stripe.url, "export")
        command = weir(folder, "plan", "change", "--live", "--out", str(Path(temporary) / "plan.json"))
        first = timed(command)
        spent = timed(command)
    last = spent.output.strip().splitlines()[-1]
    return {
        "rows": rows,
        "found": last,
        "first_cpu_seconds": round(first.cpu_seconds, 2),
        "cpu_seconds": round(spent.cpu_seconds, 2),
        "wall_seconds": round(spent.wall_seconds, 2),
        "peak_mb": spent.peak_mb,
    }


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--creates", type=int, default=10_000)
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--latency", type=float, default=0.1)
    parser.add_argument("--rows", type=int, default=100_000)
    given = parser.parse_args(arguments)
    made = creates(given.creates, given.rate, given.latency)
    show(
        [("creates", 10), ("limit/s", 10), ("seconds", 10), ("per second", 12), ("of the limit", 14), ("CPU s", 8)],
        [[made[name] for name in ("creates", "rate_limit", "seconds", "per_second", "of_limit", "cpu_seconds")]],
    )
    planned = planning(given.rows)
    show(
        [("planned rows", 14), ("CPU s", 8), ("wall s", 8), ("peak MB", 9), ("found", 24)],
        [[planned[name] for name in ("rows", "cpu_seconds", "wall_seconds", "peak_mb", "found")]],
    )
    save("exports", {"creates": made, "planning": planned})


if __name__ == "__main__":
    main()
