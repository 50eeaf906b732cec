"""Extraction that goes on from a mirror: events first, then what they do not tell by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from engine.connector import Coverage, EventInterval, Mirror, Pace
from engine.connectors.stripe import CONNECTOR
from engine.connectors.stripe.catalogue import load_catalogue
from engine.connectors.stripe.extract import extract_partition
from engine.run import TaskContext
from tests.unit.connectors.stripe.http_server import Asked, Reply, serving
from tests.unit.connectors.stripe.stripe_model import StripeModel, customer, needs

VERSION = load_catalogue().api_version


def event_of(shown: dict[str, Any], number: int, created: int) -> dict[str, Any]:
    """An event that carries an object as another version of the API shows it."""
    return {
        "id": f"evt_{number}", "object": "event", "type": "customer.updated", "created": created, "livemode": False,
        "api_version": "2020-08-27", "data": {"object": shown}, "pending_webhooks": 0,
    }  # fmt: skip


def test_objects_that_events_speak_of_are_retrieved_at_the_same_time(tmp_path: Path) -> None:
    """As many as may be asked for at once, and no more."""
    now = datetime.now(UTC).replace(microsecond=0)
    before = now - timedelta(hours=1)
    end = int(before.timestamp())
    covered = Coverage("", "customers", None, end, ((),), before, "list", VERSION, 1, 40, True, (), before)
    mirror = Mirror("", (covered,), EventInterval(before, before, now))
    reads = CONNECTOR.refresh(CONNECTOR.plan_reads(needs("customers")), mirror, Pace(now))
    changed = [customer(number) for number in range(40)]
    events = [event_of(each, number, end + 1 + number) for number, each in enumerate(changed)]
    model = StripeModel({"/v1/customers": changed, "/v1/events": events})

    def slowly(asked: Asked) -> Reply:
        answer = model(asked)
        answer.late = 0.02
        return answer

    with serving(slowly) as server:
        config = {"secret": ["sandbox", ""], "base_url": server.url, "requests_per_second": 10_000, "concurrency": 6}
        payload = {"reads": [{"table": each.table, "options": dict(each.options or {})} for each in reads]}
        extract_partition(config, payload, TaskContext(tmp_path, 1, lambda _totals: None, lambda: False))  # type: ignore[arg-type]
    retrieved = sorted(asked.path for asked in server.asked if asked.path.startswith("/v1/customers/"))
    assert retrieved == sorted(f"/v1/customers/cus_{number}" for number in range(40)), "each once"
    assert server.most == 6
