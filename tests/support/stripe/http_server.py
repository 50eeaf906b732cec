"""A small HTTP server in a thread with responses defined by the test, which can break them in transit."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass
class Reply:
    """A response. `cut`: close after this many bytes of the body; `slow`: seconds before the second half of the body;
    `reset`: close without a response; `late`: seconds before the response."""

    body: bytes = b"{}"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    slow: float = 0.0
    late: float = 0.0
    reset: bool = False


def reply(value: Any, status: int = 200, **headers: str) -> Reply:
    """A JSON response; `_` in header names stands for `-`."""
    return Reply(json.dumps(value).encode(), status, {name.replace("_", "-"): text for name, text in headers.items()})


def problem(status: int, message: str, **detail: str) -> Reply:
    """An error in Stripe's form."""
    return reply({"error": {"message": message, "type": "invalid_request_error", **detail}}, status, request_id="req_1")


Handler = Callable[[Asked], Reply]


@dataclass
class Server:
    """The running server: its address, and the requests so far. `most` is the largest number of concurrent ones."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    open: int = 0
    most: int = 0
    connections: int = 0


@contextmanager
def serving(handler: Handler) -> Iterator[Server]:
    """Serve on a free loopback port until the end of the context."""
    server = Server()
    listeners: list[asyncio.Server] = []
    started, loop = threading.Event(), asyncio.new_event_loop()

    async def main() -> None:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            server.connections += 1
            try:
                while await _exchange(server, handler, reader, writer):
                    pass
            except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        listener = await asyncio.start_server(connected, "127.0.0.1", 0)
        listeners.append(listener)
        server.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        started.set()

    async def end() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(main())
        loop.run_forever()
        loop.run_until_complete(end())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(5)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


async def _exchange(
    server: Server, handler: Handler, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    parts = urlsplit(target)
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    asked = Asked(method, parts.path, dict(parse_qsl(parts.query)), headers, body)
    server.asked.append(asked)
    server.open += 1
    server.most = max(server.most, server.open)
    try:
        return await _answer(handler(asked), writer)
    finally:
        server.open -= 1


async def _answer(answer: Reply, writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(answer.late)
    if answer.reset:
        return False
    lines = [f"HTTP/1.1 {answer.status} X", f"Content-Length: {len(answer.body)}", f"Date: {formatdate(usegmt=True)}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items()]
    writer.write("\r\n".join(lines).encode() + b"\r\n\r\n")
    if answer.cut is not None:
        writer.write(answer.body[: answer.cut])
        await writer.drain()
        return False
    half = len(answer.body) // 2
    writer.write(answer.body[:half])
    if answer.slow:
        await writer.drain()
        await asyncio.sleep(answer.slow)
    writer.write(answer.body[half:])
    await writer.drain()
    return True
