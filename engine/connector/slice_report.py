"""What an extraction reports besides files: the value of its output, which crosses processes as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from .failure import Failure
from .mirror import Changes, Coverage


@dataclass(frozen=True, slots=True)
class SliceTotals:
    """How much a slice has done so far: rows and requests by table, and other counts by name.

    The counts are `sent`, `retries`, `limited`, `pages`, `rows` and `bytes`, as far as a connector has them. `waiting`
    is why it waits now, in a progress report.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    tables: Mapping[str, int] = field(default_factory=dict)
    requests: Mapping[str, int] = field(default_factory=dict)
    waiting: str | None = None


@dataclass(frozen=True, slots=True)
class SliceReport:
    """One slice of an account, for the driver: what its files cover, and what else it found.

    `remaining` is the state of the next slice, JSON of the connector's own; None when everything is read. `coverage`
    applies to all slices so far, so all of them are loaded with one `read_at`, from before the first. `failures` are
    tables that were given up, `warnings` texts for people.
    """

    remaining: Any = None
    coverage: tuple[Coverage, ...] = ()
    changes: Changes = field(default_factory=Changes)
    failures: tuple[Failure, ...] = ()
    warnings: tuple[str, ...] = ()
    totals: SliceTotals = field(default_factory=SliceTotals)


def encode_slice(report: SliceReport) -> dict[str, Any]:
    """The report as the value of an `Output`."""
    encoded: dict[str, Any] = msgspec.to_builtins(report)
    return encoded


def decode_slice(value: object) -> SliceReport:
    """The report that `encode_slice` wrote. `msgspec.ValidationError` for anything else."""
    return msgspec.convert(value, SliceReport)


def encode_totals(totals: SliceTotals) -> dict[str, Any]:
    """The totals as a progress report (see `TaskContext.report`)."""
    encoded: dict[str, Any] = msgspec.to_builtins(totals)
    return encoded


def decode_totals(value: object) -> SliceTotals:
    """The totals that `encode_totals` wrote. `msgspec.ValidationError` for anything else."""
    return msgspec.convert(value, SliceTotals)
