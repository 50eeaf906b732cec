"""Delayed events, and writes without events."""

from __future__ import annotations

from engine.sandbox.reading.truth import ground_truth
from tests.support.sandbox.client import Client


def listed(client: Client) -> list[str]:
    return [event["id"] for event in client.everything("/v1/events")]


def test_an_event_is_listed_only_after_its_delay() -> None:
    client = Client(customers=0, event_delay=60)
    customer = client.post("/v1/customers", {"email": "a@example.com"})["id"]
    assert client.get(f"/v1/customers/{customer}")["email"] == "a@example.com"
    client.advance(59)
    assert listed(client) == []
    client.advance(1)
    (late,) = client.everything("/v1/events")
    assert late["created"] == client.now - 60
    assert client.get(f"/v1/events/{late['id']}") == late


def test_a_delayed_event_is_neither_retrieved_nor_in_the_ground_truth() -> None:
    client = Client(customers=0, event_delay=60)
    client.post("/v1/customers")
    world = client.sandbox.world
    (hidden,) = world.store(world.platform).table("event").rows
    assert client.ask("GET", f"/v1/events/{hidden}").status == 404
    assert "events" not in ground_truth(world, ["events"])[world.platform]
    client.advance(60)
    assert list(ground_truth(world, ["events"])[world.platform]["events"]["ids"]) == [hidden]


def test_a_silent_write_emits_no_event() -> None:
    client = Client(customers=0)
    customer = client.post("/v1/customers")["id"]
    world = client.sandbox.world
    client.api.act(world.store(world.platform), "POST", f"/v1/customers/{customer}", {"name": "Silent"}, silent=True)
    assert client.get(f"/v1/customers/{customer}")["name"] == "Silent"
    (event,) = client.everything("/v1/events")
    assert event["type"] == "customer.created"
    assert event["data"]["object"]["name"] is None, "what the event carries is older than the object"
