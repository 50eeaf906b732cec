"""A small, exact model of Stripe's lists over HTTP: newest first, cursors, windows and faults."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.connector import Coverage, Need, Predicate, SliceReport, decode_slice
from engine.connector.spool import read_pages
from engine.connectors.stripe import CONNECTOR
from engine.connectors.stripe.extract import extract_partition
from engine.run import Output, TaskContext
from tests.support.stripe.http_server import Asked, Reply, problem, reply

START = 1_700_000_000
KEY = "STRIPE_TEST_KEY_OF_THE_MODEL"


def charge(number: int, created: int | None = None, **fields: Any) -> dict[str, Any]:
    """A charge; by default created a minute after the previous one."""
    return {
        "id": f"ch_{number}",
        "object": "charge",
        "created": START + 60 * number if created is None else created,
        "amount": number,
        "livemode": False,
        **fields,
    }


def customer(number: int) -> dict[str, Any]:
    """A customer."""
    return charge(number) | {"id": f"cus_{number}", "object": "customer", "email": None}


@dataclass
class StripeModel:
    """The handler of a `serving` server. `lists` are objects by path, in any order.

    `before` receives each request first: it may change `lists` or respond in place of the list.
    """

    lists: dict[str, list[dict[str, Any]]]
    before: Callable[[Asked], Reply | None] = lambda _asked: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> Reply:
        """Respond to a request."""
        with self.lock:
            early = self.before(asked)
            if early is not None:
                return early
            if asked.path in self.lists:
                return self._list(asked)
            folder, _, name = asked.path.rpartition("/")
            for row in self.lists.get(folder, ()):
                if row["id"] == name:
                    return reply(row)
            return problem(404, f"No such object: '{name}'", code="resource_missing", param="id")

    def _list(self, asked: Asked) -> Reply:
        rows = sorted(self.lists[asked.path], key=lambda row: row["created"], reverse=True)
        params = dict(asked.params)
        limit = int(params.pop("limit", "10"))
        after = params.pop("starting_after", None)
        if after is not None:
            places = [place for place, row in enumerate(rows) if row["id"] == after]
            if not places:
                return problem(400, f"No such object: '{after}'", code="resource_missing", param="starting_after")
            rows = rows[places[0] + 1 :]
        if "created[gte]" in params:
            rows = [row for row in rows if row["created"] >= int(params["created[gte]"])]
        if "created[lt]" in params:
            rows = [row for row in rows if row["created"] < int(params["created[lt]"])]
        for name, value in params.items():
            if "[" not in name:
                rows = [row for row in rows if row.get(name) == value]
        return reply({"object": "list", "url": asked.path, "has_more": len(rows) > limit, "data": rows[:limit]})


@dataclass
class Reading:
    """The result of an extraction: its outputs by slice, and the spooled rows of each table."""

    outputs: list[Output] = field(default_factory=list)
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def ids(self, table: str) -> list[str]:
        """The IDs of a table's rows, in the order of the files."""
        return [row["id"] for row in self.tables.get(table, [])]

    @property
    def reports(self) -> list[SliceReport]:
        """The report of each slice."""
        return [decode_slice(output.value) for output in self.outputs]

    def coverage(self, table: str) -> list[Coverage]:
        """The claimed coverage of a table."""
        return [each for report in self.reports for each in report.coverage if each.table == table]


def needs(*names: str, where: tuple[tuple[Predicate, ...], ...] = ((),), limit: int | None = None) -> list[Need]:
    """Needs for all rows of these tables."""
    return [Need(name, ("id",), where, limit, limit is not None) for name in names]


def read_all(
    url: str,
    wanted: list[Need],
    directory: Path,
    *,
    cancelled: Callable[[], bool] = lambda: False,
    report: Callable[[Any], None] = lambda _totals: None,
    account: str | None = None,
    slices: int | None = None,
    **config: Any,
) -> Reading:
    """Run the extraction slice by slice, with its state passed as JSON; stop after this many `slices`."""
    reads = [{"table": read.table, "options": read.options} for read in CONNECTOR.plan_reads(wanted)]
    settings = {"secret": ["sandbox", ""], "base_url": url, "requests_per_second": 10_000, "retry": {"first": 0.001}}
    reading, state = Reading(), None
    while slices is None or len(reading.outputs) < slices:
        folder = directory / f"slice-{len(reading.outputs)}"
        folder.mkdir(parents=True)
        payload = {"account": account, "reads": reads, "state": state}
        output = extract_partition(settings | config, payload, TaskContext(folder, 1, report, cancelled))
        reading.outputs.append(output)
        for file in output.files:
            rows = [row for page in read_pages(Path(file.path)) for row in json.loads(page)["data"]]
            assert len(rows) == file.rows
            reading.tables.setdefault(file.bucket, []).extend(rows)
        state = decode_slice(json.loads(json.dumps(output.value))).remaining
        if state is None:
            break
    return reading
