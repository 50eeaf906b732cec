"""The cost of a load to staging by number of rows: CPU, wall time, peak memory, and a plot.

    python -m benchmarks.growth [--sizes 10000 100000 1000000] [--floor-up-to 200000]

The floor keeps all pages in memory, so its size is limited. Half of the rows are charges.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks.load import project
from benchmarks.measure import RESULTS, Spent, rival, save, server, show, staged, timed
from benchmarks.plot import draw

WEIR, FLOOR = "Weir to staging", "floor, raw"


def measure(rows: int, floor: bool) -> dict[str, tuple[Spent, int]]:
    """Measure each way and the size of its file."""
    found = {}
    with server(rows // 2, rows - rows // 2) as stripe, tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        own = project(folder, stripe.url)
        spent = timed(staged(own))
        found[WEIR] = (spent, (own / ".weir" / "staging" / "bench.duckdb").stat().st_size)
        if floor:
            target = folder / "out.duckdb"
            found[FLOOR] = (timed(rival("floor", stripe.url, str(target), "--raw")), target.stat().st_size)
    for way, (spent, _) in found.items():
        if str(rows) not in spent.output:
            raise SystemExit(f"{way}: expected {rows} rows, got {spent.output.strip()}")
    return found


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--floor-up-to", type=int, default=200_000)
    given = parser.parse_args(arguments)
    table = []
    for rows in given.sizes:
        for way, (spent, size) in measure(rows, rows <= given.floor_up_to).items():
            table.append(
                {
                    "way": way,
                    "rows": rows,
                    "cpu_seconds": round(spent.cpu_seconds, 2),
                    "cpu_us_per_row": round(spent.cpu_seconds / rows * 1e6, 1),
                    "wall_seconds": round(spent.wall_seconds, 1),
                    "peak_mb": spent.peak_mb,
                    "file_mb": round(size / 1e6),
                }
            )
    columns = [("way", 18), ("rows", 12), ("CPU s", 10), ("CPU µs/row", 12), ("wall s", 9), ("peak MB", 9)]
    show([*columns, ("file MB", 9)], [list(row.values()) for row in table])
    lines = {
        way: [(float(row["rows"]), float(row["cpu_seconds"])) for row in table if row["way"] == way]
        for way in dict.fromkeys(row["way"] for row in table)
    }
    draw(RESULTS / "growth.svg", "CPU seconds of a first load", "rows", "CPU seconds", lines)
    save("growth", {"ways": table})


if __name__ == "__main__":
    main()
