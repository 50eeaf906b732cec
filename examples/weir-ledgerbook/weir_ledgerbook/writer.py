"""Sends writes to Ledgerbook, one after the other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engine.connector import (
    AnswerFile,
    ConnectorError,
    Failure,
    FailureKind,
    SpooledAnswers,
    WriteCounts,
    WriteHooks,
    WriteRequest,
    WriteResult,
    WriteState,
)

from .catalogue import CATALOGUE
from .client import Answer, Client
from .rows import Spool

_REFUSED = (FailureKind.REQUEST, FailureKind.MISSING, FailureKind.PERMISSION, FailureKind.KEY, FailureKind.RATE)


class LedgerbookWriter:
    """Implements `engine.connector.Writer`."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config

    def write(self, requests: Sequence[WriteRequest], hooks: WriteHooks) -> WriteCounts:
        """See `Writer.write`. The order of the requests is that of their lanes as well."""
        client = Client.of(self._config)
        if client.livemode and not self._config.get("writes_live"):
            message, hint = "the key is a live one, and the connection may not write", "say `grants: {live: true}`"
            raise ConnectorError(Failure(FailureKind.GRANT, message, hint))
        lost: dict[str, Failure | None] = {}
        for request in requests:
            if request.requires in lost:
                failure = Failure(FailureKind.REQUEST, f"what it requires (`{request.requires}`) was not done")
                result = WriteResult(request.id, WriteState.UNSENT, failure=failure)
            elif hooks.stopping():
                result = WriteResult(request.id, WriteState.UNSENT)
            else:
                hooks.sending([request.id])
                result = _sent(client, request)
            if result.state is not WriteState.DONE:
                lost[request.id] = result.failure
            hooks.ended([result])
        return WriteCounts(client.sent, client.retries, client.limited)

    def read(self, table: str, ids: Sequence[str]) -> Sequence[WriteResult]:
        """See `Writer.read`."""
        client = Client.of(self._config)
        return [_read(client, table, each) for each in ids]

    def renew(self, answers: Sequence[tuple[str, bytes]]) -> Sequence[tuple[str, bytes]]:
        """See `Writer.renew`."""
        client = Client.of(self._config)
        renewed = []
        for target, body in answers:
            identifier = str(json.loads(body)["id"])
            found = _read(client, target.partition(".")[0], identifier).body
            renewed.append((target, found or json.dumps({"id": identifier, "deleted": True}).encode()))
        return renewed

    def spool(self, answers: Sequence[tuple[str, bytes]], folder: Path) -> SpooledAnswers:
        """See `Writer.spool`."""
        latest: dict[tuple[str, str], Mapping[str, Any]] = {}
        for target, body in answers:
            table, found = target.partition(".")[0], json.loads(body)
            if table in CATALOGUE.tables:
                latest[table, found["id"]] = found
        folder.mkdir(parents=True)
        spool = Spool(folder, Client.of(self._config).livemode)
        gone: dict[str, tuple[str, ...]] = {}
        for (table, identifier), found in latest.items():
            if found.get("deleted"):
                gone[table] = (*gone.get(table, ()), identifier)
        for table in sorted({table for table, _ in latest}):
            own = [each for (name, _), each in latest.items() if name == table and not each.get("deleted")]
            spool.add(table, "retrieve", own)
        files = tuple(AnswerFile(path, rows, table, meta) for table, path, rows, meta in spool.close())
        return SpooledAnswers(files, gone)


def _sent(client: Client, request: WriteRequest) -> WriteResult:
    table, _, verb = request.target.partition(".")
    path = f"/v1/{table}" if request.object is None else f"/v1/{table}/{request.object}"
    method = "DELETE" if verb == "delete" else "POST"
    try:
        answer = client.send(method, path, dict(request.parameters), table=table, key=request.id)
    except ConnectorError as error:
        failure = error.failure
        state = WriteState.FAILED if failure.kind in _REFUSED else WriteState.UNKNOWN
        return WriteResult(request.id, state, failure=failure, request=failure.request_id)
    return _done(request.id, answer)


def _read(client: Client, table: str, identifier: str) -> WriteResult:
    try:
        return _done(identifier, client.send("GET", f"/v1/{table}/{identifier}", table=table))
    except ConnectorError as error:
        if error.failure.kind is not FailureKind.MISSING:
            raise
        return WriteResult(identifier, WriteState.FAILED, failure=error.failure)


def _done(identifier: str, answer: Answer) -> WriteResult:
    return WriteResult(
        identifier,
        WriteState.DONE,
        str(answer.body["id"]),
        body=answer.raw,
        request=answer.request_id,
        replayed=answer.replayed,
        answered=datetime.now(UTC),
    )
