"""The stage function of the extraction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from engine.run import Json, Output, TaskContext

from .slices import extract_slice


def extract_partition(config: Mapping[str, Json], payload: Json, context: TaskContext) -> Output:
    """Read one slice of one account's tables into spool files. Raises `ConnectorError`.

    `config`: `secret` [kind, argument], and optionally `base_url`, `api_version`, `timeout_ms`, `mode`,
    `requests_per_second`, `concurrency`, `base` (folder of relative secret files), `max_slice_bytes`,
    `max_slice_seconds`, `max_slice_requests`, `ceiling_lag` (seconds), `retry` (fields of `RetryPolicy`),
    `table_failures`: "raise" (default), or "report" to end only the table that fails, and `identify`: whether to ask
    whose key it is.

    `payload`: `account` (null: the key's own), `reads` (each with `options`: `ReadOptions`), `state` (null at first).

    The output's value: `remaining` (null when all is read, otherwise the `state` of the next slice), `coverage` (fields
    of `engine.run.Coverage`; it speaks of all slices, so all of them must be loaded with one `read_at`, from before the
    first), `counts` (sent, retries, limited, pages, rows, bytes), `tables` (rows by table), `requests` (by table),
    `failures` (fields of `Failure`), `warnings` (texts), and `gone`, `renewed`, `events` and `identity` (fields of
    `engine.connector.Changes`). Progress reports have the counts, and `waiting`: why it waits.
    """
    return extract_slice(config, cast("Mapping[str, Json]", payload), context)
