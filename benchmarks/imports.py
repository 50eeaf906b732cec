"""An import of many rows with a join and an aggregate, then of a few changes, compared with handwritten SQL.

    python -m benchmarks.imports [--charges 800000] [--customers 200000] [--changed 10000]

Each customer with what it has paid: a row a customer. Then some customers change, the mirror is brought up to date, and
the table after it. Both read the same mirror. The step is what stands between its start and its end in the run's
events; the rest of the process is Python starting, definitions, and the requests that find nothing new.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.measure import Spent, make_project, rival, save, server, show, staged, timed, weir


def step(spent: Spent) -> tuple[float, int]:
    """The seconds of the import among a run's events, and how many rows it wrote."""
    events = [json.loads(line) for line in spent.output.splitlines() if line.startswith("{")]
    (start,) = (each for each in events if each["event"] == "task_started" and each["kind"] == "import")
    (end,) = (each for each in events if each["event"] == "task_ended" and each["kind"] == "import")
    seconds = datetime.fromisoformat(end["at"]) - datetime.fromisoformat(start["at"])
    return seconds.total_seconds(), end["counts"]["inserted"] + end["counts"]["updated"]


def both(name: str, folder: Path, rounds: int) -> list[dict[str, Any]]:
    """Measure both imports from the same mirror; only the last round changes the table."""
    store = folder / "by-hand.duckdb"
    found = []
    for way in ("Weir", "by hand"):
        best: dict[str, Any] = {}
        for turn in range(rounds):
            kept = folder / ".weir" / "store.duckdb" if way == "Weir" else store
            before = kept.read_bytes() if kept.exists() and turn < rounds - 1 else None
            missing = not kept.exists()
            row = one(name, way, folder, store)
            if not best or row["step_seconds"] < best["step_seconds"]:
                best = row
            if turn < rounds - 1:
                if before is not None:
                    kept.write_bytes(before)
                elif missing:
                    kept.unlink()
        found.append(best)
    return found


def one(name: str, way: str, folder: Path, store: Path) -> dict[str, Any]:
    """Run one import."""
    if way == "Weir":
        spent = timed(weir(folder, "run", "--no-isolated", "--format", "json"))
        seconds, written = step(spent)
    else:
        mirror = folder / ".weir" / "staging" / "bench.duckdb"
        spent = timed(rival("by_hand", str(mirror), str(store)))
        said = json.loads(spent.output)
        seconds, written = said["wall_seconds"], said["written"]
    return {
        "import": name,
        "way": way,
        "written": written,
        "step_seconds": round(seconds, 2),
        "process_cpu_seconds": round(spent.cpu_seconds, 2),
        "peak_mb": spent.peak_mb,
    }


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--charges", type=int, default=800_000)
    parser.add_argument("--customers", type=int, default=200_000)
    parser.add_argument("--changed", type=int, default=10_000, help="customers that change")
    parser.add_argument("--rounds", type=int, default=3, help="number of rounds; the best counts")
    given = parser.parse_args(arguments)
    tables = "SELECT (SELECT count(*) FROM charges) AS charges, (SELECT max(balance) FROM customers) AS customers"
    with server(given.charges, given.customers) as stripe, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        make_project(folder, stripe.url, "spend")
        timed(staged(folder, tables))
        rows = both("all", folder, given.rounds)
        part = (given.changed + 0.5) / given.customers
        stripe.ask(f"/_move?seconds=3600&new=0&changed={part}&lists=/v1/customers")
        timed(staged(folder, tables))
        rows += both(f"{given.changed:,} changed", folder, given.rounds)
    for first, second in (rows[:2], rows[2:]):
        if first["written"] != second["written"]:
            raise SystemExit(f"Weir wrote {first['written']} rows, the hand {second['written']}")
        first["step_ratio"] = round(first["step_seconds"] / second["step_seconds"], 2)
        second["step_ratio"] = 1.0
    columns = [("import", 18), ("way", 10), ("written", 10), ("step s", 9), ("process CPU s", 15), ("peak MB", 9)]
    show([*columns, ("× by hand", 11)], [list(row.values()) for row in rows])
    save("imports", {"charges": given.charges, "customers": given.customers, "imports": rows})


if __name__ == "__main__":
    main()
