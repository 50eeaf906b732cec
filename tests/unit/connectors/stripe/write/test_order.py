"""The order in which writes are sent, in any interleaving."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from engine.connector import WriteRequest
from engine.connectors.stripe.write.order import Order


def request(name: str, lane: str | None = None, requires: str | None = None) -> WriteRequest:
    return WriteRequest(name, "customers.create", None, (), lane, requires)


def taken(order: Order) -> list[str]:
    found = []
    while (each := order.take()) is not None:
        found.append(each.id)
    return found


def test_lane_sends_one_request_at_a_time() -> None:
    first, second, other = request("a", "l"), request("b", "l"), request("c", "m")
    order = Order([first, second, other])
    assert taken(order) == ["a", "c"]
    assert order.end(first, done=True) == []
    assert taken(order) == ["b"]
    order.end(other, done=False)
    order.end(second, done=True)
    assert order.is_over


def test_requests_without_a_lane_do_not_wait() -> None:
    assert taken(Order([request("a"), request("b"), request("c")])) == ["a", "b", "c"]
    assert Order([]).is_over
    assert Order([]).take() is None


def test_requests_that_depend_on_a_failed_one_are_dropped() -> None:
    first = request("a", "l")
    order = Order([first, request("b", "l", "a"), request("c", "l"), request("d", "l", "b")])
    assert taken(order) == ["a"]
    assert [each.id for each in order.end(first, done=False)] == ["b", "d"]
    assert taken(order) == ["c"]


def test_take_rest_returns_all_unsent_requests() -> None:
    requests = [request("a", "l"), request("b", "l"), request("c", "m"), request("d")]
    order = Order(requests)
    assert order.take() is requests[0]
    assert sorted(each.id for each in order.take_rest()) == ["b", "c", "d"]
    assert order.take() is None
    assert not order.is_over
    assert order.end(requests[0], done=False) == []
    assert order.is_over
    assert order.take_rest() == []


@given(
    lanes=st.lists(st.sampled_from(["l", "m", None]), max_size=12),
    links=st.lists(st.booleans(), min_size=12, max_size=12),
    choices=st.lists(st.integers(0, 5), min_size=60, max_size=60),
    stop=st.integers(0, 40),
)
def test_every_request_ends_once_in_any_interleaving(
    lanes: list[str | None], links: list[bool], choices: list[int], stop: int
) -> None:
    requests: list[WriteRequest] = []
    for number, lane in enumerate(lanes):
        before = [each.id for each in requests if each.lane == lane and lane is not None]
        requests.append(request(f"{number}", lane, before[-1] if before and links[number] else None))
    order, going, ended, sent = Order(requests), [], [], []
    done: set[str] = set()
    for step, choice in enumerate(choices):
        if step == stop:
            ended += [each.id for each in order.take_rest()]
        if choice < 3 and (each := order.take()) is not None:
            assert each.lane is None or each.lane not in {other.lane for other in going}
            assert each.requires is None or each.requires in done
            going.append(each)
            sent.append(each)
        elif going:
            each = going.pop(choice % len(going))
            well = choice != 5
            done |= {each.id} if well else set()
            ended += [each.id, *(other.id for other in order.end(each, done=well))]
    ended += [each.id for each in going]
    left = {each.id for each in requests} - set(ended)
    assert Counter(ended) == Counter(set(ended))
    assert order.is_over == (not left and not going)
    for lane in ("l", "m"):
        own = [each.id for each in sent if each.lane == lane]
        assert own == sorted(own, key=int)
