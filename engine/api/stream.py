"""Events of a run as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from engine.app.serving.event_log import Story

CONTENT_TYPE: Final = "text/event-stream"
_LOOK_SECONDS: Final = 0.1
_BEAT_SECONDS: Final = 15.0


async def event_stream(story: Story, after: int, ended: Callable[[], None]) -> AsyncIterator[bytes]:
    """The events behind number `after`, each as it comes, until the run is over; `ended` is called whatever happens.

    A comment now and then lets both sides see that the other is there. Whoever falls far behind misses events, which
    the numbers show.
    """
    try:
        quiet = 0.0
        while True:
            fresh, over = story.since(after)
            for number, line in fresh:
                after = number
                yield _event(number, line)
            if over and not fresh:
                yield b"event: end\ndata: {}\n\n"
                return
            if fresh:
                quiet = 0.0
                continue
            await asyncio.sleep(_LOOK_SECONDS)
            quiet += _LOOK_SECONDS
            if quiet >= _BEAT_SECONDS:
                quiet = 0.0
                yield b": still here\n\n"
    finally:
        ended()


def _event(number: int, line: str) -> bytes:
    kind = json.loads(line)["event"]
    return f"id: {number}\nevent: {kind}\ndata: {line}\n\n".encode()
