"""The order of writes: lanes run in parallel, the writes of a lane one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from engine.connector import WriteRequest


class Order:
    """Hands out requests. A request whose lane is busy waits; one that requires another is handed out only after that
    one, which must come before it in the same lane, succeeded."""

    def __init__(self, requests: Sequence[WriteRequest]) -> None:
        self._lanes: dict[str, deque[WriteRequest]] = {}
        for request in requests:
            self._lanes.setdefault(_lane(request), deque()).append(request)
        self._ready = deque(self._lanes)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left and nothing is in flight."""
        return not self._lanes

    def take(self) -> WriteRequest | None:
        """The next request to send; None when all lanes are busy or finished."""
        while self._ready:
            lane = self._ready.popleft()
            waiting = self._lanes[lane]
            if waiting:
                return waiting.popleft()
            del self._lanes[lane]
        return None

    def end(self, request: WriteRequest, *, done: bool) -> list[WriteRequest]:
        """End a request and free its lane. Return the requests that can never be sent because they require it."""
        lane = _lane(request)
        waiting = self._lanes[lane]
        dropped = []
        lost = set() if done else {request.id}
        for each in list(waiting) if lost else ():
            if each.requires in lost:
                lost.add(each.id)
                dropped.append(each)
                waiting.remove(each)
        if waiting:
            self._ready.append(lane)
        else:
            del self._lanes[lane]
        return dropped

    def take_rest(self) -> list[WriteRequest]:
        """All requests that were not sent; none will be."""
        rest = [each for lane in self._ready for each in self._lanes[lane]]
        going = [lane for lane in self._lanes if lane not in set(self._ready)]
        for lane in list(self._ready):
            del self._lanes[lane]
        self._ready.clear()
        for lane in going:
            rest += self._lanes[lane]
            self._lanes[lane].clear()
        return rest


def _lane(request: WriteRequest) -> str:
    return request.lane if request.lane is not None else f"\x00{request.id}"
