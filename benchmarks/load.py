"""Compares several ways of loading the same objects.

    python -m benchmarks.load [--rows 100000] [--sdk-rows 2000] [--rounds 3] [--no-peer]

Every way is a separate process; the operating system measures its CPU time and peak memory, including child processes.
Machines are noisy: read the ratios. Ways take turns, so that a slow minute affects all of them.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import Spent, make_project, rival, save, server, show, staged, timed, weir
from benchmarks.objects import SPAN, START
from benchmarks.peers import DLT, python_with

RAW = "floor, keeping the raw objects"
PLAIN = "the same, cursor by the json module"
STAGING = "Weir to staging"


@dataclass
class Way:
    """A way of loading: the command for a URL and an empty folder, and the measured rounds."""

    name: str
    rows: int
    command: Callable[[str, Path], list[str]]
    spent: list[Spent] = field(default_factory=list)

    def cost(self) -> float:
        """CPU microseconds a row, in the middle round."""
        return statistics.median(each.cpu_seconds for each in self.spent) / self.rows * 1e6


def ways(rows: int, sdk_rows: int, peer: Path | None) -> list[Way]:
    """All ways available on this machine; `rows` is the sum of both lists."""
    found = [
        Way("floor, six columns", rows, lambda url, folder: rival("floor", url, str(folder / "out.duckdb"))),
        Way(STAGING, rows, lambda url, folder: staged(project(folder, url))),
        Way("Weir to the Schema", rows, lambda url, folder: weir(project(folder, url), "run", "--no-isolated")),
        Way(RAW, rows, lambda url, folder: rival("floor", url, str(folder / "out.duckdb"), "--raw")),
        Way(PLAIN, rows, lambda url, folder: rival("floor", url, str(folder / "out.duckdb"), "--raw", "--json")),
    ]
    if peer is not None:
        script = Path(__file__).parent / "rivals" / "dlt_rest.py"
        found.append(
            Way(
                f"{DLT.partition('[')[0]}, REST source, tuned",
                rows,
                lambda url, folder: [
                    *map(str, (peer, script, url, folder / "bench.duckdb", START, SPAN)),
                ],
            )
        )
    if sdk_rows:
        found.append(
            Way("SDK auto-paging", sdk_rows, lambda url, folder: rival("sdk", url, str(folder / "out.duckdb")))
        )
    return found


def project(folder: Path, url: str) -> Path:
    """Create a Weir project in the folder."""
    make_project(folder / "project", url)
    return folder / "project"


def take_turns(found: list[Way], rounds: int) -> None:
    """Measure each way in turns. Its output must be the number of rows."""
    for rows in sorted({way.rows for way in found}):
        with server(rows // 2, rows // 2) as stripe, tempfile.TemporaryDirectory() as temporary:
            for turn in range(rounds):
                for number, way in enumerate(found):
                    if way.rows != rows or (turn and way.name.startswith(("dlt", "SDK"))):
                        continue  # the slow ones are measured once
                    folder = Path(temporary) / f"{number}-{turn}"
                    folder.mkdir()
                    spent = timed(way.command(stripe.url, folder))
                    if way.name != "Weir to the Schema" and str(rows) not in spent.output:
                        raise SystemExit(f"{way.name}: expected {rows} rows, got {spent.output.strip()}")
                    way.spent.append(spent)
                    shutil.rmtree(folder)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="charges, and as many customers")
    parser.add_argument("--sdk-rows", type=int, default=2_000, help="the same for the SDK's own way, which is slow")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-peer", action="store_true", help="without the tool that must be installed")
    given = parser.parse_args(arguments)
    peer = python_with(DLT) if not given.no_peer else "not asked for"
    found = ways(2 * given.rows, 2 * given.sdk_rows, peer if isinstance(peer, Path) else None)
    take_turns(found, given.rounds)
    found.sort(key=Way.cost)
    cost = {way.name: way.cost() for way in found}
    table = [
        {
            "way": way.name,
            "rows": way.rows,
            "cpu_us_per_row": round(way.cost(), 1),
            "ratio_to_raw": round(way.cost() / cost[RAW], 2),
            "ratio_to_raw_json": round(way.cost() / cost[PLAIN], 2),
            "wall_seconds": round(statistics.median(each.wall_seconds for each in way.spent), 1),
            "peak_mb": max(each.peak_mb for each in way.spent),
        }
        for way in found
    ]
    columns = [
        ("way", 38),
        ("rows", 10),
        ("CPU µs/row", 12),
        ("× raw floor", 13),
        ("× with json", 13),
        ("wall s", 8),
        ("peak MB", 9),
    ]
    show(columns, [list(row.values()) for row in table])
    if not isinstance(peer, Path):
        print(f"{DLT}: {peer}")
    save("load", {"rounds": given.rounds, "peer": "measured" if isinstance(peer, Path) else peer, "ways": table})


if __name__ == "__main__":
    main()
