"""What a second run costs: after 1 % new and 0.5 % changed rows, and after no change at all.

    python -m benchmarks.second [--rows 100000] [--new 0.01] [--changed 0.005]

Staging only. Afterwards the mirror must hold what the server has: as many rows, as often changed.
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
    """One run: what it took and asked for. SystemExit when the mirror is not what the server has."""
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
    parser.add_argument("--rows", type=int, default=100_000, help="charges, and as many customers")
    parser.add_argument("--new", type=float, default=0.01)
    parser.add_argument("--changed", type=float, default=0.005)
    given = parser.parse_args(arguments)
    with server(given.rows, given.rows) as stripe, tempfile.TemporaryDirectory() as temporary:
        folder = project(Path(temporary), stripe.url)
        runs = [run("first", folder, stripe)]
        stripe.ask(f"/_move?seconds=3600&new={given.new}&changed={given.changed}")
        runs.append(run(f"{given.new:.1%} new, {given.changed:.1%} changed", folder, stripe))
        stripe.ask("/_move?seconds=3600&new=0&changed=0")
        runs.append(run("nothing happened", folder, stripe))
    for each in runs:
        for figure in ("requests", "cpu_seconds"):
            each[f"{figure}_of_first"] = f"{each[figure] / runs[0][figure]:.1%}"
    columns = [("run", 26), ("requests", 10), ("CPU s", 8), ("wall s", 8), ("peak MB", 9)]
    show([*columns, ("requests of first", 19), ("CPU of first", 14)], [list(each.values()) for each in runs])
    save("second", {"rows": 2 * given.rows, "runs": runs})


if __name__ == "__main__":
    main()
