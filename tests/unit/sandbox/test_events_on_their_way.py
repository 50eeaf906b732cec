"""Events that come late, and writes that leave none: what a mirror must cope with."""

from __future__ import annotations

from engine.sandbox.reading.truth import tell
from tests.support.sandbox.client import Client


def listed(client: Client) -> list[str]:
    return [event["id"] for event in client.everything("/v1/events")]


def test_an_event_is_not_seen_before_its_delay_is_over() -> None:
    client = Client(customers=0, event_delay=60)
    customer = client.post("/v1/customers", {"email": "a@example.com"})["id"]
    assert client.get(f"/v1/customers/{customer}")["email"] == "a@example.com"
    client.advance(59)
    assert listed(client) == []
    client.advance(1)
    (late,) = client.everything("/v1/events")
    assert late["created"] == client.now - 60
    assert client.get(f"/v1/events/{late['id']}") == late


def test_an_event_on_its_way_cannot_be_retrieved_and_is_no_truth() -> None:
    client = Client(customers=0, event_delay=60)
    client.post("/v1/customers")
    world = client.sandbox.world
    (hidden,) = world.store(world.platform).table("event").rows
    assert client.ask("GET", f"/v1/events/{hidden}").status == 404
    assert "events" not in tell(world, ["events"])[world.platform]
    client.advance(60)
    assert list(tell(world, ["events"])[world.platform]["events"]["ids"]) == [hidden]


def test_a_silent_write_leaves_no_event() -> None:
    client = Client(customers=0)
    customer = client.post("/v1/customers")["id"]
    world = client.sandbox.world
    client.api.act(world.store(world.platform), "POST", f"/v1/customers/{customer}", {"name": "Silent"}, silent=True)
    assert client.get(f"/v1/customers/{customer}")["name"] == "Silent"
    (event,) = client.everything("/v1/events")
    assert event["type"] == "customer.created"
    assert event["data"]["object"]["name"] is None, "what the event carries is older than the object"
