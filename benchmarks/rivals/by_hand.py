"""The SQL of the import, handwritten for DuckDB.

python -m benchmarks.rivals.by_hand STAGING STORE

Prints the CPU and wall seconds of the statements and the number of written rows.
"""

from __future__ import annotations

import json
import sys
import time

import duckdb

BOX = """
SELECT c.id, c.email, c.balance, count(h.id) AS payments, CAST(sum(h.amount) AS BIGINT) AS spent,
    max(h.created) AS latest
FROM staging.customers c LEFT JOIN staging.charges h ON h.customer = c.id
GROUP BY c.id, c.email, c.balance
"""
MERGE = f"""
MERGE INTO spend AS old USING ({BOX}) AS new ON old.id = new.id
WHEN MATCHED AND (
    old.email IS DISTINCT FROM new.email OR old.balance IS DISTINCT FROM new.balance
    OR old.payments IS DISTINCT FROM new.payments OR old.spent IS DISTINCT FROM new.spent
    OR old.latest IS DISTINCT FROM new.latest
) THEN UPDATE
WHEN NOT MATCHED THEN INSERT
"""


def main() -> None:
    """Create or update the table."""
    staging, store = sys.argv[1:3]
    wall, cpu = time.monotonic(), time.process_time()
    connection = duckdb.connect(store)
    connection.execute(f"ATTACH '{staging}' AS staging (READ_ONLY)")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS spend "
        "(id VARCHAR NOT NULL, email VARCHAR, balance BIGINT, payments BIGINT, spent BIGINT, latest TIMESTAMP)"
    )
    ((written,),) = connection.execute(MERGE).fetchall()
    connection.close()
    spent = {"wall_seconds": time.monotonic() - wall, "cpu_seconds": time.process_time() - cpu, "written": written}
    print(json.dumps(spent))


if __name__ == "__main__":
    main()
