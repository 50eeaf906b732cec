"""A tiny Ledgerbook that a test controls: three lists, a feed of changes, and contacts that can be written."""

from __future__ import annotations

import itertools
import json
import re
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "lb_test_0123456789abcdef"
BOOK = "book_1"
TABLES = ("accounts", "contacts", "entries")


class RefusalError(Exception):
    """An error's status, and its message and code."""

    def __init__(self, status: int, message: str, **more: str) -> None:
        super().__init__(message)
        self.status = status
        self.detail = {"message": message, **more}


class Ledgerbook:
    """The service. `forbidden` are tables that the key may not read; `requests` have reached it over HTTP."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, dict[str, Any]]] = {table: {} for table in TABLES}
        self.changes: list[dict[str, Any]] = []
        self.forbidden: set[str] = set()
        self.requests: list[str] = []
        self.broken = 0
        """So many requests are answered with 503."""
        self.answers: dict[str, tuple[Any, bytes]] = {}
        self.ahead = 0
        """How far its clock is ahead of this machine's, in seconds."""
        self.lock = threading.RLock()
        self._numbers = itertools.count(1)
        handler = type("Handler", (_Handler,), {"book": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def now(self) -> int:
        """The time of its clock, in Unix seconds."""
        return int(time.time()) + self.ahead

    def add(self, table: str, **fields: Any) -> dict[str, Any]:
        """Make an object. Objects are created a second apart, beginning in 2026."""
        with self.lock:
            number = next(self._numbers)
            created = datetime.fromtimestamp(1_767_225_600 + number // 2, UTC).isoformat()
            made = {"id": f"{table[:2]}_{number:06}", **fields, "created": created}
            self.objects[table][made["id"]] = made
            self._note(table, made["id"])
            return made

    def change(self, table: str, identifier: str, **fields: Any) -> dict[str, Any]:
        """Change an object."""
        with self.lock:
            self.objects[table][identifier] = self.objects[table][identifier] | fields
            self._note(table, identifier)
            return self.objects[table][identifier]

    def remove(self, table: str, identifier: str) -> None:
        """Delete an object."""
        with self.lock:
            del self.objects[table][identifier]
            self._note(table, identifier)

    def _note(self, table: str, identifier: str) -> None:
        self.changes.append({"sequence": len(self.changes) + 1, "at": self.now(), "table": table, "id": identifier})

    def answer(self, method: str, path: str, params: Mapping[str, str], body: Any, key: str | None) -> tuple[Any, bool]:
        """The JSON of an answer, and whether it repeats that of an earlier write."""
        with self.lock:
            if path == "/v1/book":
                return {"id": BOOK}, False
            if path == "/v1/changes":
                return self._changes(params), False
            match = re.fullmatch(r"/v1/(\w+)(?:/(\w+))?", path)
            if match is None or match[1] not in TABLES:
                raise RefusalError(404, f"there is no {path}", code="unknown_path")
            table, identifier = match.groups()
            if table in self.forbidden:
                raise RefusalError(403, f"the key may not read {table}", permission=f"{table}:read")
            if method == "GET":
                return (self._found(table, identifier) if identifier else self._list(table, params)), False
            return self._written(method, table, identifier, body, key)

    def _found(self, table: str, identifier: str) -> dict[str, Any]:
        if identifier not in self.objects[table]:
            raise RefusalError(404, f"there is no {identifier}", code="missing")
        return self.objects[table][identifier]

    def _list(self, table: str, params: Mapping[str, str]) -> dict[str, Any]:
        limit = int(params.get("limit", 50))
        low, high = int(params.get("created_gte", 0)), int(params.get("created_lt", 1 << 40))
        rows = sorted(self.objects[table].values(), key=lambda each: each["id"])
        rows = [each for each in rows if low <= datetime.fromisoformat(each["created"]).timestamp() < high]
        rows = [each for each in rows if each["id"] > params.get("after", "")]
        return {"data": rows[:limit], "has_more": len(rows) > limit, "now": self.now()}

    def _changes(self, params: Mapping[str, str]) -> dict[str, Any]:
        limit = int(params.get("limit", 50))
        since, after = int(params.get("since", 0)), int(params.get("after", 0))
        visible = [table for table in TABLES if table not in self.forbidden]
        found = [
            each | {"object": self.objects[each["table"]].get(each["id"])}
            for each in self.changes
            if each["at"] >= since and each["sequence"] > after and each["table"] in visible
        ]
        return {"data": found[:limit], "has_more": len(found) > limit, "tables": visible, "now": self.now()}

    def _written(self, method: str, table: str, identifier: str | None, body: Any, key: str | None) -> tuple[Any, bool]:
        asked = (method, table, identifier, body)
        if key is not None and key in self.answers:
            before, answer = self.answers[key]
            if before != asked:
                raise RefusalError(400, "the idempotency key belongs to another request", code="idempotency")
            return json.loads(answer), True
        if table != "contacts":
            raise RefusalError(400, f"{table} cannot be written")
        if method == "DELETE" and identifier is not None:
            self._found(table, identifier)
            self.remove(table, identifier)
            answer: Any = {"id": identifier, "deleted": True}
        elif set(body) - {"name", "email"} or (identifier is None and not body.get("name")):
            raise RefusalError(400, "a contact has a name and an e-mail address", param="name")
        elif identifier is None:
            answer = self.add(table, name=body["name"], email=body.get("email"))
        else:
            self._found(table, identifier)
            answer = self.change(table, identifier, **body)
        if key is not None:
            self.answers[key] = (asked, json.dumps(answer).encode())
        return answer, False


class _Handler(BaseHTTPRequestHandler):
    book: Ledgerbook
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else {}
        number = len(self.book.requests)
        self.book.requests.append(f"{self.command} {self.path}")
        replayed = False
        try:
            if self.headers.get("Authorization") != f"Bearer {KEY}":
                raise RefusalError(401, f"this key is not valid: {self.headers.get('Authorization')}")
            if self.book.broken > 0:
                self.book.broken -= 1
                raise RefusalError(503, "the service is being repaired")
            key = self.headers.get("Idempotency-Key")
            answer, replayed = self.book.answer(self.command, parts.path, dict(parse_qsl(parts.query)), body, key)
            status = 200
        except RefusalError as error:
            status, answer = error.status, {"error": error.detail}
        raw = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.send_header("Request-Id", f"req_{number}")
        if replayed:
            self.send_header("Idempotent-Replayed", "true")
        self.end_headers()
        self.wfile.write(raw)

    do_GET = do_POST = do_DELETE = _handle  # noqa: N815 - the names that the base class calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as in the base class
        """Print nothing."""
