"""The obvious way: the SDK's `auto_paging_iter` and `executemany`.

python -m benchmarks.rivals.sdk URL FILE
"""

from __future__ import annotations

import sys
from itertools import islice

import duckdb
import stripe

CHARGE = ("id", "amount", "currency", "created", "customer", "status")
CUSTOMER = ("id", "email", "name", "created", "currency", "balance")


def main() -> None:
    """Load both tables and print the number of rows."""
    url, target = sys.argv[1:3]
    stripe.enable_telemetry = False
    client = stripe.StripeClient("sk_test_benchmark", base_addresses={"api": url})
    database = duckdb.connect(target)
    lists = {"charges": (client.v1.charges, CHARGE), "customers": (client.v1.customers, CUSTOMER)}
    rows = 0
    for table, (service, columns) in lists.items():
        kinds = ", ".join(
            f"{name} {'BIGINT' if name in ('amount', 'created', 'balance') else 'VARCHAR'}" for name in columns
        )
        database.execute(f"CREATE TABLE {table} ({kinds})")
        marks = ", ".join("?" * len(columns))
        objects = service.list({"limit": 100}).auto_paging_iter()
        while batch := [[getattr(item, name) for name in columns] for item in islice(objects, 1000)]:
            database.executemany(f"INSERT INTO {table} VALUES ({marks})", batch)
            rows += len(batch)
    database.close()
    print(rows)


if __name__ == "__main__":
    main()
