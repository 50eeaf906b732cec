"""A Stripe list server for benchmarks: many objects, rendered once, as cheap to serve as possible.

    python -m benchmarks.server --charges 100000 --customers 100000 [--latency-ms 100] [--rps 100] [--endpoint-rps 25]

Prints one JSON line {"url": …} when it listens, and ends when its standard input does. GET of /v1/charges,
/v1/customers and /v1/events with limit, starting_after, ending_before and created[gt|gte|lt|lte], newest first, as
Stripe answers; of single objects; and of /v1/account. GET /_move?seconds=3600&new=0.01&changed=0.005 puts the clock
forward and spreads so many new and changed objects (parts of each list) and their events over that time. GET /_truth
gives counts, sums and times. It is no double for tests: it has no writes, and no errors but 404 and 429.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

from benchmarks.limits import Limits
from benchmarks.objects import CHARGE, CUSTOMER, EVENT, SPAN, START, Template, charge_values, customer_values
from engine.connectors.stripe.catalogue import load_catalogue

VERSION = load_catalogue().api_version
_STRIDE = 1_000_003
"""A prime step: it visits every object of a list once before repeating."""
Values = Callable[[int, int, int, int], dict[str, object]]


@dataclass
class Table:
    """The objects of one list, oldest first, rendered."""

    path: str
    template: Template
    values: Values | None = None
    ids: dict[str, int] = field(default_factory=dict)
    created: list[int] = field(default_factory=list)
    changes: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def add(self, created: int, values: Mapping[str, object]) -> None:
        """Append an object that is at least as new as all others."""
        self.ids[str(values["id"])] = len(self.bodies)
        self.created.append(created)
        self.changes.append(0)
        self.bodies.append(self.template.fill(values))

    def page(self, query: dict[str, str]) -> bytes:
        """One page, newest first, as Stripe writes it."""
        low, high = 0, len(self.bodies)
        for key, value in query.items():
            if key in ("created[gte]", "created[lt]"):
                index = bisect.bisect_left(self.created, int(value))
            elif key in ("created[gt]", "created[lte]"):
                index = bisect.bisect_right(self.created, int(value))
            else:
                continue
            low, high = (max(low, index), high) if "g" in key else (low, min(high, index))
        limit = int(query.get("limit", 10))
        if after := query.get("starting_after"):
            high = min(high, self.ids[after])
        if before := query.get("ending_before"):
            low = max(low, self.ids[before] + 1)
            first, last = low, min(high, low + limit)
            more = last < high
        else:
            first, last = max(low, high - limit), high
            more = first > low
        items = b",\n    ".join(self.bodies[first:last][::-1])
        return b'{\n  "object": "list",\n  "data": [\n    %b\n  ],\n  "has_more": %b,\n  "url": "%b"\n}' % (
            items, b"true" if more else b"false", self.path.encode(),
        )  # fmt: skip


class Account:
    """The lists, and a clock that can be advanced."""

    def __init__(self, charges: int, customers: int) -> None:
        self.ahead = 0
        self.customers = customers
        self.lists = [
            Table("/v1/charges", Template(CHARGE), charge_values),
            Table("/v1/customers", Template(CUSTOMER), customer_values),
        ]
        self.events = Table("/v1/events", Template(EVENT))
        for table, count in zip(self.lists, (charges, customers), strict=True):
            for number in range(count):
                self.create(table, START + number * SPAN // max(count, 1))

    def now(self) -> int:
        """Unix seconds of this server's clock."""
        return int(time.time()) + self.ahead

    def tables(self) -> dict[str, Table]:
        """All lists by path."""
        return {table.path: table for table in (*self.lists, self.events)}

    def create(self, table: Table, created: int) -> int:
        """Add an object. Returns its number."""
        assert table.values is not None
        number = len(table.bodies)
        table.add(created, table.values(number, created, 0, self.customers))
        return number

    def change(self, table: Table, number: int) -> None:
        """Change an object."""
        assert table.values is not None
        table.changes[number] += 1
        values = table.values(number, table.created[number], table.changes[number], self.customers)
        table.bodies[number] = table.template.fill(values)

    def move(self, seconds: int, new: float, changed: float, lists: str = "") -> dict[str, int]:
        """Put the clock forward; what happens in that time is spread over it evenly. `lists`: only in these paths."""
        since = self.now()
        self.ahead += seconds
        happenings: list[tuple[float, Table, int | None]] = []
        for table in self.lists:
            count = len(table.bodies)
            if not count or (lists and table.path not in lists.split(",")):
                continue
            created, updated = int(count * new), int(count * changed)
            happenings += [(place / created, table, None) for place in range(created)]
            happenings += [(place / updated, table, (since + place * _STRIDE) % count) for place in range(updated)]
        for part, table, number in sorted(happenings, key=lambda each: (each[0], each[1].path)):
            self._happen(table, number, since + int(part * seconds))
        return {"happened": len(happenings)}

    def _happen(self, table: Table, number: int | None, timestamp: int) -> None:
        kind = "updated"
        if number is None:
            number = self.create(table, timestamp)
            kind = "created" if table.path.endswith("customers") else "succeeded"
        else:
            self.change(table, number)
        self._emit(table, number, timestamp, f"{table.path[4:-1]}.{kind}")

    def _emit(self, table: Table, number: int, timestamp: int, kind: str) -> None:
        values = {
            "id": f"evt_{len(self.events.bodies):016x}", "created": timestamp, "version": VERSION, "type": kind,
            "object": table.bodies[number].decode(),
        }  # fmt: skip
        self.events.add(timestamp, values)

    def truth(self) -> dict[str, object]:
        """The number of objects and of their changes."""
        return {table.path: {"count": len(table.bodies), "changes": sum(table.changes)} for table in self.lists}


@dataclass
class Served:
    """What was asked for so far: list requests that were answered, and the times of the first and the last one."""

    requests: int = 0
    bytes: int = 0
    first: float | None = None
    last: float | None = None


class Server(asyncio.Protocol):
    """One connection: requests without a body, answered in order."""

    def __init__(self, account: Account, latency: float, limits: Limits, served: Served) -> None:
        self.account, self.latency, self.limits, self.served = account, latency, limits, served
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head, self.buffer = self.buffer[:end], self.buffer[end + 4 :]
            target = head.split(b" ", 2)[1].decode()
            reason = self.limits.refuse(target.partition("?")[0]) if target.startswith("/v1/") else None
            if target.startswith("/v1/") and self.served.first is None:
                self.served.first = time.monotonic()
            if self.latency and target.startswith("/v1/"):
                asyncio.get_running_loop().call_later(self.latency, self.answer, target, reason)
            else:
                self.answer(target, reason)

    def answer(self, target: str, reason: str | None) -> None:
        if reason is not None:
            error = b'{"error":{"type":"invalid_request_error","code":"rate_limit","message":"too many requests"}}'
            self.send(b"429 Too Many Requests", error, b"Stripe-Rate-Limited-Reason: %b\r\n" % reason.encode())
            return
        body = self.body(target)
        if target.startswith("/v1/") and body is not None:
            self.served.requests += 1
            self.served.bytes += len(body)
            self.served.last = time.monotonic()
        if body is None:
            missing = b'{"error":{"type":"invalid_request_error","code":"resource_missing","message":"no such thing"}}'
            self.send(b"404 Not Found", missing)
        else:
            self.send(b"200 OK", body)

    def body(self, target: str) -> bytes | None:
        url = urlsplit(target)
        query = dict(parse_qsl(url.query))
        tables = self.account.tables()
        if table := tables.get(url.path):
            return table.page(query)
        folder, _, identifier = url.path.rpartition("/")
        if (table := tables.get(folder)) and identifier in table.ids:
            return table.bodies[table.ids[identifier]]
        match url.path:
            case "/v1/account":
                return b'{"id":"acct_bench","object":"account"}'
            case "/_move":
                moved = self.account.move(
                    int(query["seconds"]), float(query["new"]), float(query["changed"]), query.get("lists", "")
                )
                return json.dumps(moved).encode()
            case "/_truth":
                served = {"refused": self.limits.refused, **vars(self.served)}
                return json.dumps({**self.account.truth(), **served}).encode()
            case "/_forget":
                self.limits.refused = 0
                self.served.__init__()  # type: ignore[misc]
                return b"{}"
            case _:
                return None

    def send(self, status: bytes, body: bytes, more: bytes = b"") -> None:
        date = formatdate(self.account.now(), usegmt=True).encode()
        self.transport.write(
            b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\nDate: %b\r\n%b"
            b"Request-Id: req_bench\r\nStripe-Version: %b\r\n\r\n%b"
            % (status, len(body), date, more, VERSION.encode(), body)
        )


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until standard input ends."""
    account, served = Account(arguments.charges, arguments.customers), Served()
    limits = Limits(arguments.rps, arguments.endpoint_rps, time.monotonic)
    loop = asyncio.get_running_loop()
    latency = arguments.latency_ms / 1000
    server = await loop.create_server(lambda: Server(account, latency, limits, served), "127.0.0.1", arguments.port)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--charges", type=int, default=10_000)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--rps", type=float, default=0, help="requests a second in all; 0: no limit")
    parser.add_argument("--endpoint-rps", type=float, default=0, help="the same for each list")
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
