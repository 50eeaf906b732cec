"""The read rate of lists with latency or rate limits, from the first request to the last response.

    python -m benchmarks.rates [--rows 100000] [--latency-ms 100] [--rps 100] [--endpoint-rps 25]

Without a limit: one list and two, against a single cursor. With a limit of all requests: two lists; with a limit of
each endpoint: one list. What a limit allows is a hundred objects a request. A limit is found by trying, unless the
connection configures it.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load import project
from benchmarks.measure import BOTH, Stripe, rival, save, server, show, staged, timed

ONE = "SELECT count(*) AS rows FROM charges"


@dataclass(frozen=True, slots=True)
class Case:
    """The lists, the server, and the best possible rate."""

    name: str
    question: str
    options: tuple[str, ...]
    best: float
    said: float | None = None
    """The connection's `requests_per_second`, if it configures the limit."""


def objects_a_second(stripe: Stripe, rows: int) -> tuple[float, dict[str, Any]]:
    """The rate since the last `_forget`, and what the server counted."""
    seen = stripe.ask("/_truth")
    return rows / (seen["last"] - seen["first"]), seen


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000, help="charges, and as many customers")
    parser.add_argument("--latency-ms", type=float, default=100)
    parser.add_argument("--rps", type=float, default=100)
    parser.add_argument("--endpoint-rps", type=float, default=25)
    given = parser.parse_args(arguments)
    slow = (f"--latency-ms={given.latency_ms}",)
    cursor = single_cursor(given.rows, slow)
    cases = [
        Case("one list, no limit", ONE, slow, 20 * cursor),
        Case("two lists, no limit", BOTH, slow, 40 * cursor),
    ]
    limits = (
        ("two lists", "in all", BOTH, "rps", given.rps),
        ("one list", "a list", ONE, "endpoint-rps", given.endpoint_rps),
    )
    for lists, of, question, option, rate in limits:
        options = (*slow, f"--{option}={rate}")
        cases.append(Case(f"{lists}, {rate:g}/s {of}, found", question, options, 100 * rate))
        cases.append(Case(f"{lists}, {rate:g}/s {of}, said", question, options, 100 * rate, rate))
    table = [measure(case, given.rows, cursor) for case in cases]
    print(f"a single cursor: {cursor:,.0f} objects/s")
    columns = [("case", 32), ("objects/s", 11), ("× cursor", 10), ("goal", 9), ("of goal", 9)]
    show([*columns, ("requests", 10), ("refused", 9)], [list(row.values()) for row in table])
    save("rates", {"latency_ms": given.latency_ms, "single_cursor": round(cursor), "cases": table})


def single_cursor(rows: int, options: tuple[str, ...]) -> float:
    """The rate of one cursor in objects per second."""
    with server(rows, 0, *options) as stripe:
        read = int(timed(rival("cursor", stripe.url, "charges", "100")).output)
        return objects_a_second(stripe, read)[0]


def measure(case: Case, rows: int, cursor: float) -> dict[str, Any]:
    """Measure one case with its own server and project."""
    with server(rows, rows, *case.options) as stripe, tempfile.TemporaryDirectory() as temporary:
        folder = project(Path(temporary), stripe.url)
        if case.said is not None:
            connection = folder / "connections" / "bench.yaml"
            connection.write_text(connection.read_text().replace("100000", f"{case.said:g}"))
        spent = timed(staged(folder, case.question))
        wanted = rows if case.question == ONE else 2 * rows
        if str(wanted) not in spent.output:
            raise SystemExit(f"{case.name}: expected {wanted} rows, got {spent.output.strip()}")
        rate, seen = objects_a_second(stripe, wanted)
    return {
        "case": case.name,
        "objects_per_second": round(rate),
        "times_cursor": round(rate / cursor, 1),
        "goal": round(case.best),
        "of_goal": f"{rate / case.best:.0%}",
        "requests": seen["requests"],
        "refused": seen["refused"],
    }


if __name__ == "__main__":
    main()
