"""The list of all operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from . import models
from .handlers import Handlers
from .metrics import CONTENT_TYPE as METRICS_TYPE
from .operation import Operation, Query
from .stream import CONTENT_TYPE as STREAM_TYPE

_LIMIT: Final = Query(
    "limit", "How many, at most 500.", {"type": "integer", "minimum": 1, "maximum": 500, "default": 50}
)
_INTERFACE: Final = Query("interface", "Only runs of this interface.", {"type": "string", "pattern": models.NAME})
_STATUS: Final = Query("status", "Only runs of this status.", {"type": "string", "enum": list(models.STATUSES)})
_WAIT: Final = Query("wait", "1: answer when it is done.", {"type": "string", "enum": ["0", "1"], "default": "0"})
_PARAM: Final = Query(
    "param",
    "A parameter as NAME=VALUE; may be repeated.",
    {
        "type": "array",
        "maxItems": 100,
        "items": {"type": "string", "maxLength": 10_000, "pattern": "^[a-z][a-z0-9_]*="},
    },
)
_LAST: Final = {"Last-Event-ID": "The number of the last event that the caller has."}


def operations(handlers: Handlers) -> Sequence[Operation]:
    """All of them, in the order of the document; the document itself is served beside them."""
    return (
        Operation("GET", "/health", "health", "Whether the server answers.", None, handlers.health,
                  {200: ("It does.", models.Health)}),
        Operation("GET", "/ready", "ready", "Whether definitions are live and runs can begin.", None, handlers.ready,
                  {200: ("They can.", models.Ready)}, problems=(503,)),
        Operation("GET", "/metrics", "metrics", "Figures for Prometheus.", "read", handlers.metrics,
                  {200: ("The figures.", METRICS_TYPE)}),
        Operation("GET", "/generation", "generation", "The definitions that new runs begin with.", "read",
                  handlers.generation, {200: ("The live generation.", models.Generation)}, problems=(503,)),
        Operation("POST", "/reload", "reload", "Look at the files of the definitions now.", "admin", handlers.reload,
                  {200: ("What it has come to.", models.Reload), 202: ("It will be done.", models.Accepted)},
                  query=(_WAIT,), audited=True),
        Operation("GET", "/findings", "findings", "What is wrong with the files of the definitions.", "read",
                  handlers.findings, {200: ("All findings.", models.Findings)}),
        Operation("GET", "/interfaces", "interfaces", "The interfaces that are live.", "read", handlers.interfaces,
                  {200: ("The interfaces.", models.Interfaces)}, problems=(503,)),
        Operation("GET", "/interfaces/{name}/plan", "plan", "What a run of the interface would do now.", "read",
                  handlers.plan, {200: ("The plan.", models.Plan)}, problems=(422, 502, 503), query=(_PARAM,)),
        Operation("POST", "/interfaces/{name}/runs", "run", "Run an interface that has `triggers: {api: true}`.", "run",
                  handlers.run,
                  {200: ("The run is over and has succeeded.", models.RunWithSteps),
                   202: ("The run is ordered, or goes on for longer than a request waits.", models.Run)},
                  problems=(409, 502, 503, 504), body=models.RunOrder, audited=True),
        Operation("GET", "/runs", "runs", "The newest runs.", "read", handlers.runs,
                  {200: ("The runs.", models.Runs)}, query=(_LIMIT, _INTERFACE, _STATUS)),
        Operation("GET", "/runs/{id}", "show", "A run with its steps.", "read", handlers.show,
                  {200: ("The run.", models.RunWithSteps)}),
        Operation("GET", "/runs/{id}/events", "events", "The events of a run as they come, as server-sent events.",
                  "read", handlers.events,
                  {200: ("Events until the run is over, then `end`.", STREAM_TYPE),
                   204: ("Nothing more will come.", "")},
                  problems=(503,), headers=_LAST),
        Operation("POST", "/runs/{id}/cancel", "cancel", "Have a run stop between two commits.", "run", handlers.cancel,
                  {202: ("It will stop.", models.Run)}, problems=(409,), audited=True),
    )  # fmt: skip
