"""The floor: a minimal handwritten loader. aiohttp, `created` windows, DuckDB's JSON reader.

    python -m benchmarks.rivals.floor URL FILE [--raw] [--json]

Sixteen windows a table; pages are collected in memory and inserted by one statement for each 200. Six columns a table,
or with --raw also the whole object as JSON. msgspec extracts the cursor of a page and parses only the ids;
with --json the standard library parses the whole page. No retries, type checks, rate limits or resumption.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path

import aiohttp
import duckdb
import msgspec

from benchmarks.objects import SPAN, START

WINDOWS = 16
COLUMNS = {
    "charges": "id VARCHAR, amount BIGINT, currency VARCHAR, created BIGINT, customer VARCHAR, status VARCHAR",
    "customers": "id VARCHAR, email VARCHAR, name VARCHAR, created BIGINT, currency VARCHAR, balance BIGINT",
}


Next = Callable[[bytes], tuple[str | None, bool]]
"""The last id of a page, if any, and whether more pages follow."""


class Identified(msgspec.Struct, gc=False):
    """An object reduced to its id."""

    id: str


class Page(msgspec.Struct, gc=False):
    """A list response."""

    data: list[Identified]
    has_more: bool


_PAGE = msgspec.json.Decoder(Page)


def lean(body: bytes) -> tuple[str | None, bool]:
    """`Next` by msgspec."""
    page = _PAGE.decode(body)
    return page.data[-1].id if page.data else None, page.has_more


def plain(body: bytes) -> tuple[str | None, bool]:
    """`Next` by the standard library."""
    page = json.loads(body)
    return page["data"][-1]["id"] if page["data"] else None, page["has_more"]


async def window(session: aiohttp.ClientSession, url: str, gte: int, lt: int, look: Next) -> list[bytes]:
    """The pages of one window."""
    pages: list[bytes] = []
    params = {"limit": "100", "created[gte]": str(gte), "created[lt]": str(lt)}
    while True:
        async with session.get(url, params=params) as answer:
            body = await answer.read()
        last, has_more = look(body)
        if last is not None:
            pages.append(body)
            params["starting_after"] = last
        if not has_more:
            return pages


async def fetch(url: str, table: str, look: Next) -> list[bytes]:
    """All pages of a table."""
    step = SPAN // WINDOWS + 1
    headers = {"Authorization": "Bearer sk_test_benchmark"}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=WINDOWS)) as session:
        edges = range(START, START + SPAN + 1, step)
        parts = await asyncio.gather(*(window(session, f"{url}/v1/{table}", low, low + step, look) for low in edges))
    return [page for part in parts for page in part]


def main() -> None:
    """Load both tables and print the number of rows."""
    url, target, raw = sys.argv[1], Path(sys.argv[2]), "--raw" in sys.argv
    look = plain if "--json" in sys.argv else lean
    database = duckdb.connect(str(target))
    database.execute("SET threads = 1")
    rows = 0
    for table, columns in COLUMNS.items():
        pages = asyncio.run(fetch(url, table, look))
        fields = ", ".join(f'"{part.split()[0]}": "{part.split()[1]}"' for part in columns.split(", "))
        database.execute(f"CREATE TABLE {table} ({columns}{', raw JSON' if raw else ''})")
        for start in range(0, len(pages), 200):
            # One parameter per statement: a list of page texts, parsed by DuckDB.
            items = "SELECT unnest(json_extract(page, '$.data[*]')) AS item FROM (SELECT unnest($1) AS page)"
            extra = ", item" if raw else ""
            database.execute(
                f"INSERT INTO {table} SELECT unnest(json_transform(item, '{{{fields}}}')){extra} FROM ({items})",
                [[page.decode() for page in pages[start : start + 200]]],
            )
        rows += database.sql(f"SELECT count(*) FROM {table}").fetchall()[0][0]
    database.close()
    print(rows)


if __name__ == "__main__":
    main()
