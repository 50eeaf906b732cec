"""A Stripe list server for benchmarks: many objects, rendered once, as cheap to serve as possible.

    python -m benchmarks.server --charges 100000 --customers 100000 [--latency-ms 100] [--port 0]

Prints one JSON line {"url": …} when it listens, and ends when its standard input does. GET /v1/charges and
/v1/customers with limit, starting_after and created[gt|gte|lt|lte], newest first, as Stripe answers; GET /v1/account;
GET /_truth gives counts and sums. It is no double for tests: it has no errors, no limits, no writes.
"""

from __future__ import annotations

import argparse
import asyncio
import bisect
import json
import random
import sys
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qsl, urlsplit

START = 1_700_000_000
SPAN = 18 * 30 * 86_400


def charge(number: int, created: int, rng: random.Random) -> dict[str, object]:
    """A charge with all the fields that Stripe sends for one."""
    amount = rng.randrange(500, 250_000)
    customer = f"cus_{number % 5000:08x}"
    return {
        "id": f"ch_{number:016x}",
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": f"txn_{number:016x}",
        "billing_details": {
            "address": {
                "city": "Lyon", "country": "FR", "line1": f"{number % 99} rue de la Gare", "line2": None,
                "postal_code": "69003", "state": None,
            },
            "email": f"person{number % 5000}@example.com",
            "name": f"Person {number % 5000}",
            "phone": None,
            "tax_id": None,
        },
        "calculated_statement_descriptor": "WEIR BENCH",
        "captured": True,
        "created": created,
        "currency": rng.choice(("usd", "eur", "gbp")),
        "customer": customer,
        "description": f"Subscription update {number}",
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": {"order": str(number), "channel": "web", "rev": "1"},
        "on_behalf_of": None,
        "outcome": {
            "advice_code": None, "network_advice_code": None, "network_decline_code": None,
            "network_status": "approved_by_network", "reason": None, "risk_level": "normal", "risk_score": 12,
            "seller_message": "Payment complete.", "type": "authorized",
        },
        "paid": True,
        "payment_intent": f"pi_{number:016x}",
        "payment_method": f"pm_{number:016x}",
        "payment_method_details": {
            "card": {
                "amount_authorized": amount, "authorization_code": "123456", "brand": "visa",
                "checks": {
                    "address_line1_check": "pass", "address_postal_code_check": "pass", "cvc_check": "pass",
                },
                "country": "FR", "exp_month": 8, "exp_year": 2028, "fingerprint": f"fp{number % 9999:014x}",
                "funding": "credit", "installments": None, "last4": f"{number % 10000:04d}", "mandate": None,
                "network": "visa", "network_token": {"used": False}, "network_transaction_id": f"{number:015d}",
                "three_d_secure": None, "wallet": None,
            },
            "type": "card",
        },
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": f"https://pay.example.com/receipts/{number:032x}",
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }  # fmt: skip


def customer(number: int, created: int, rng: random.Random) -> dict[str, object]:
    """A customer with all the fields that Stripe sends for one."""
    return {
        "id": f"cus_{number:08x}",
        "object": "customer",
        "address": {
            "city": "Lyon", "country": "FR", "line1": f"{number % 99} rue de la Gare", "line2": None,
            "postal_code": "69003", "state": None,
        },
        "balance": 0,
        "created": created,
        "currency": rng.choice(("usd", "eur", "gbp")),
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": f"person{number}@example.com",
        "invoice_prefix": f"{number:08X}",
        "invoice_settings": {
            "custom_fields": None, "default_payment_method": None, "footer": None, "rendering_options": None,
        },
        "livemode": False,
        "metadata": {"tier": rng.choice(("free", "pro", "enterprise"))},
        "name": f"Person {number}",
        "next_invoice_sequence": 7,
        "phone": None,
        "preferred_locales": ["fr"],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }  # fmt: skip


@dataclass
class Table:
    """The objects of one list, oldest first, rendered."""

    path: str
    ids: dict[str, int] = field(default_factory=dict)
    created: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    amount: int = 0

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
        if after := query.get("starting_after"):
            high = min(high, self.ids[after])
        first = max(low, high - int(query.get("limit", 10)))
        items = b",\n    ".join(self.bodies[first:high][::-1])
        more = b"true" if first > low else b"false"
        return b'{\n  "object": "list",\n  "data": [\n    %b\n  ],\n  "has_more": %b,\n  "url": "%b"\n}' % (
            items, more, self.path.encode(),
        )  # fmt: skip


def fill(path: str, count: int, make: object) -> Table:
    """A table of `count` objects spread evenly over the time span."""
    table, rng = Table(path), random.Random(path)
    for number in range(count):
        created = START + number * SPAN // max(count, 1)
        thing = make(number, created, rng)  # type: ignore[operator]
        table.ids[thing["id"]] = number
        table.created.append(created)
        table.bodies.append(json.dumps(thing, indent=2).replace("\n", "\n    ").encode())
        table.amount += int(thing.get("amount", 0))
    return table


class Server(asyncio.Protocol):
    """One connection: requests without a body, answered in order."""

    def __init__(self, tables: dict[str, Table], latency: float, counts: dict[str, int]) -> None:
        self.tables, self.latency, self.counts = tables, latency, counts
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head, self.buffer = self.buffer[:end], self.buffer[end + 4 :]
            target = head.split(b" ", 2)[1].decode()
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self.answer, target)
            else:
                self.answer(target)

    def answer(self, target: str) -> None:
        url = urlsplit(target)
        table = self.tables.get(url.path)
        status = b"200 OK"
        if table is not None:
            self.counts["requests"] += 1
            body = table.page(dict(parse_qsl(url.query)))
        elif url.path == "/v1/account":
            body = b'{"id":"acct_bench","object":"account"}'
        elif url.path == "/_truth":
            truth = {path: {"count": len(t.bodies), "amount": t.amount} for path, t in self.tables.items()}
            body = json.dumps({**truth, **self.counts}).encode()
        else:
            status, body = b"404 Not Found", b'{"error":{"type":"invalid_request_error","message":"no such URL"}}'
        date = formatdate(usegmt=True).encode()
        self.transport.write(
            b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\nDate: %b\r\n"
            b"Request-Id: req_bench\r\nStripe-Version: 2026-10-28.endive\r\n\r\n%b" % (status, len(body), date, body)
        )


async def serve(arguments: argparse.Namespace) -> None:
    """Serve until standard input ends."""
    tables = {
        "/v1/charges": fill("/v1/charges", arguments.charges, charge),
        "/v1/customers": fill("/v1/customers", arguments.customers, customer),
    }
    counts = {"requests": 0}
    loop = asyncio.get_running_loop()
    latency = arguments.latency_ms / 1000
    server = await loop.create_server(lambda: Server(tables, latency, counts), "127.0.0.1", arguments.port)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--charges", type=int, default=10_000)
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
