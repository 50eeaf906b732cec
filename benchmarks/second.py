"""The cost of a second run: with 1 % new and 0.5 % changed rows, and without changes.

    python -m benchmarks.second [--rows 100000 500000] [--new 0.01] [--changed 0.005]

Staging only. Afterwards the mirror must equal the server in rows and changes. Start-up takes constant CPU time, so
the ratio to a first run falls with the number of rows.
"""

from __future__ import annotations

import argparse
import csv
import io
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.load import project
from benchmarks.measure import Stripe, save, server, show, staged, timed

SUMS = """
SELECT (SELECT count(*) FROM charges) AS charges, (SELECT sum(amount_refunded) FROM charges) AS charge_changes,
    (SELECT count(*) FROM customers) AS customers, (SELECT sum(balance) FROM customers) AS customer_changes
"""


def run(name: str, folder: Path, stripe: Stripe) -> dict[str, Any]:
    """Measure one run and its requests. SystemExit if the mirror differs from the server."""
    stripe.ask("/_forget")
    spent = timed(staged(folder, SUMS))
    seen = stripe.ask("/_truth")
    (found,) = csv.DictReader(io.StringIO(spent.output))
    for path, one in (("/v1/charges", "charge"), ("/v1/customers", "customer")):
        got = {"count": int(found[f"{one}s"]), "changes": int(found[f"{one}_changes"] or 0)}
        if got != seen[path]:
            raise SystemExit(f"{name}: the server has {seen[path]} at {path}, the mirror {got}")
    return {
        "run": name,
        "requests": seen["requests"],
        "cpu_seconds": round(spent.cpu_seconds, 2),
        "wall_seconds": round(spent.wall_seconds, 2),
        "peak_mb": spent.peak_mb,
    }


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[100_000, 500_000], help="charges, and as many customers"
    )
    parser.add_argument("--new", type=float, default=0.01)
    parser.add_argument("--changed", type=float, default=0.005)
    given = parser.parse_args(arguments)
    found = {2 * rows: measure(rows, given.new, given.changed) for rows in given.rows}
    columns = [("run", 26), ("requests", 10), ("CPU s", 8), ("wall s", 8), ("peak MB", 9)]
    for rows, runs in found.items():
        print(f"{rows:,} rows")
        show([*columns, ("requests of first", 19), ("CPU of first", 14)], [list(each.values()) for each in runs])
    save("second", {"sizes": [{"rows": rows, "runs": runs} for rows, runs in found.items()]})


def measure(rows: int, new: float, changed: float) -> list[dict[str, Any]]:
    """Measure a first run, one with new and changed rows, and one without changes."""
    with server(rows, rows) as stripe, tempfile.TemporaryDirectory() as temporary:
        folder = project(Path(temporary), stripe.url)
        runs = [run("first", folder, stripe)]
        stripe.ask(f"/_move?seconds=3600&new={new}&changed={changed}")
        runs.append(run(f"{new:.1%} new, {changed:.1%} changed", folder, stripe))
        stripe.ask("/_move?seconds=3600&new=0&changed=0")
        runs.append(run("nothing happened", folder, stripe))
    for each in runs:
        for figure in ("requests", "cpu_seconds"):
            each[f"{figure}_of_first"] = f"{each[figure] / runs[0][figure]:.1%}"
    return runs


if __name__ == "__main__":
    main()
