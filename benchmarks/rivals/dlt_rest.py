"""dlt's REST source, tuned: sixteen `created` windows a list, fetched side by side; nested values stay JSON.

python dlt_rest.py URL FILE START SPAN

Runs in its own environment (see benchmarks/peers.py), so it imports nothing of Weir.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

WINDOWS = 16


def main() -> None:
    """Load both tables and print the number of rows."""
    url, target, start, span = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        os.environ.update(
            DLT_DATA_DIR=folder,
            RUNTIME__DLTHUB_TELEMETRY="false",
            RUNTIME__LOG_LEVEL="ERROR",
            DATA_WRITER__BUFFER_MAX_ITEMS="20000",
            NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION="true",
            DESTINATION__DUCKDB__CREDENTIALS=str(target),
        )
        print(load(url, start, span))


def load(url: str, start: int, span: int) -> int:
    """Run the pipeline; the number of rows."""
    import dlt
    from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator
    from dlt.sources.rest_api import rest_api_source

    step = span // WINDOWS + 1
    resources = [
        {
            "name": f"{table}_{number}",
            "table_name": table,
            "max_table_nesting": 0,
            "parallelized": True,
            "endpoint": {
                "path": f"v1/{table}",
                "data_selector": "data",
                "params": {"limit": 100, "created[gte]": low, "created[lt]": low + step},
                "paginator": JSONResponseCursorPaginator(
                    cursor_path="data[-1].id", cursor_param="starting_after", has_more_path="has_more"
                ),
            },
        }
        for table in ("charges", "customers")
        for number, low in enumerate(range(start, start + span + 1, step))
    ]
    client = {"base_url": f"{url}/", "headers": {"Authorization": "Bearer sk_test_benchmark"}}
    pipeline = dlt.pipeline("bench", destination="duckdb", dataset_name="stripe")
    pipeline.run(
        rest_api_source({"client": client, "resources": resources}),  # type: ignore[arg-type, typeddict-item]
        loader_file_format="parquet",  # the default, INSERT statements, takes three times as long
    )
    with (
        pipeline.sql_client() as sql,
        sql.execute_query("SELECT (SELECT count(*) FROM charges) + (SELECT count(*) FROM customers)") as cursor,
    ):
        (rows,) = cursor.fetchone() or (0,)
    return int(rows)


if __name__ == "__main__":
    main()
