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
    `table_failures`: "raise" (default), or "report" to end only the table that fails, and `identify`: whether to look
    up the account of the key.

    `payload`: `account` (null: the key's own), `reads` (each with `options`: `ReadOptions`), `state` (null at first).

    The output's value is a `SliceReport`, progress reports are `SliceTotals`.
    """
    return extract_slice(config, cast("Mapping[str, Json]", payload), context)
