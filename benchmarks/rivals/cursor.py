"""A single cursor at full speed: aiohttp, pages are counted and discarded.

python -m benchmarks.rivals.cursor URL TABLE PAGES
"""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp


async def read(url: str, most: int) -> int:
    """The number of rows in at most this number of pages."""
    rows, params = 0, {"limit": "100"}
    async with aiohttp.ClientSession(headers={"Authorization": "Bearer sk_test_benchmark"}) as session:
        for _ in range(most):
            async with session.get(url, params=params) as answer:
                page = json.loads(await answer.read())
            rows += len(page["data"])
            if not page["has_more"]:
                break
            params["starting_after"] = page["data"][-1]["id"]
    return rows


def main() -> None:
    """Read and print the number of rows."""
    url, table, pages = sys.argv[1:4]
    print(asyncio.run(read(f"{url}/v1/{table}", int(pages))))


if __name__ == "__main__":
    main()
