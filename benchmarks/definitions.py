"""The time of a cold `weir validate` of a thousand definitions.

    python -m benchmarks.definitions [--count 1000] [--rounds 5]

The project repeats the boxes of 200 interfaces under different names.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from benchmarks.measure import save, show, timed, weir

BOXES = (
    "SELECT id, email, created FROM customers WHERE created >= TIMESTAMP '2025-{month:02}-{day:02}'",
    "SELECT c.id, c.email, max(h.created) AS created FROM customers c JOIN charges h ON h.customer = c.id\n"
    "        WHERE h.status = 'succeeded' AND h.amount > {day}00 GROUP BY ALL",
    "WITH paid AS (SELECT customer, count(*) AS n FROM invoices WHERE status = 'paid' GROUP BY customer)\n"
    "        SELECT c.id, c.email, c.created FROM customers c JOIN paid p ON p.customer = c.id WHERE p.n > {day}",
    "SELECT id, email, created FROM customers c WHERE NOT EXISTS (\n"
    "        SELECT 1 FROM subscriptions s WHERE s.customer = c.id AND s.status = 'active') AND {month} > 0",
)


def write(folder: Path, count: int) -> None:
    """Write a project of `count` definitions: a fifth connections, two fifths tables, two fifths interfaces."""
    for name in ("connections", "interfaces", "schemas"):
        (folder / name).mkdir(parents=True)
    for number in range(count // 5):
        (folder / "connections" / f"stripe_{number}.yaml").write_text(
            f"kind: connection\nname: stripe_{number}\nconnector: stripe\nis_source: true\n"
            "client_secret: {env: STRIPE_SECRET_KEY}\nmode: test\ntimeout_ms: 20000\n"
            "limits: {requests_per_second: 50}\n"
        )
    for number in range(2 * count // 5):
        (folder / "schemas" / f"table_{number}.yaml").write_text(
            f"kind: schema\nname: table_{number}\ndescription: Customers of segment {number}\n"
            "columns:\n  customer_id: {type: text, required: true, description: Stripe id}\n"
            "  email: text\n  created_at: timestamp\nkey: [customer_id]\n"
        )
        different = number % 200
        box = BOXES[different % len(BOXES)].format(month=different % 12 + 1, day=different % 28 + 1)
        (folder / "interfaces" / f"load_{number}.yaml").write_text(
            f"kind: interface\nname: load_{number}\nschedule: {{every: 15m}}\nsteps:\n  - name: load\n"
            f"    import:\n      connection: stripe_{number % (count // 5)}\n      sql: |\n        {box}\n"
            f"      into: table_{number}\n      action: upsert\n"
            "      map: {customer_id: id, email: {from: email, skip_if_empty: true}, created_at: created}\n"
        )


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "project"
        write(folder, given.count)
        validate = [timed(weir(folder, "validate")).cpu_seconds for _ in range(given.rounds)]
        help_ = [timed(weir(folder, "--help")).cpu_seconds for _ in validate]
    report = {
        "definitions": given.count,
        "validate_cpu_seconds": round(statistics.median(validate), 3),
        "help_cpu_seconds": round(statistics.median(help_), 3),
    }
    show([("figure", 24), ("", 10)], list(report.items()))
    save("definitions", report)


if __name__ == "__main__":
    main()
