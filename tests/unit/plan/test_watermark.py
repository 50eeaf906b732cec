"""Whether the watermark of a step is still valid, and the reason shown if not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.connector import MirrorInstant
from engine.diagnostics import Place
from engine.graph import Action, Bound, Box, Import
from engine.plan import ConnectionSettings, Watermark, parts_of
from engine.plan.watermark import why_changed
from engine.relation import TEXT, Column, Relation

RELATION = Relation((Column("id", TEXT, True),))
SETTINGS = ConnectionSettings(
    "stripe_main", "stripe", "local", 1000, ("env", "KEY"), "2026-10-28.endive", "test", None, None, None
)
STEP = Import(
    id="people.load",
    interface="people",
    name="load",
    connection="stripe_main",
    box=Box("SELECT id FROM changed.customers", Place("a"), ("stripe_main", "schema"), Bound(RELATION, ())),
    into="people",
    relation=RELATION,
    key=("id",),
    action=Action.UPSERT,
    match=(("id", "id"),),
    mapping=(),
    on_error="stop",
    on_empty="continue",
    snapshot=False,
    origin=Place("a"),
    after=(),
    fingerprint=(("box", "1"), ("write", "2"), ("table", "3")),
)
AT = MirrorInstant("file", datetime(2026, 11, 20, 12, 30, 1, tzinfo=UTC))
LATER = MirrorInstant("file", AT.changed_at + timedelta(hours=1))
MARK = Watermark("people.load", "run-7", AT, parts_of(STEP, SETTINGS))


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (AT, "rows changed since 2026-11-20 12:30:01 UTC, the position of run run-7"),
        (LATER, "rows changed since 2026-11-20 12:30:01 UTC, the position of run run-7"),
        (replace(LATER, file="other"), "rebuild from all rows: the mirror was rebuilt since run run-7"),
        (None, "rebuild from all rows: the mirror was rebuilt since run run-7"),
    ],
)
def test_reason_follows_the_state_of_the_mirror(now: MirrorInstant | None, reason: str) -> None:
    assert why_changed(STEP, SETTINGS, MARK, now) == reason


def test_mirror_older_than_the_watermark_causes_a_rebuild() -> None:
    reason = why_changed(STEP, SETTINGS, replace(MARK, at=LATER), AT)
    assert reason == "rebuild from all rows: the mirror is older than the rows that run run-7 read"


def test_missing_or_lost_watermark_reads_all_rows() -> None:
    assert why_changed(STEP, SETTINGS, None, AT) == "all rows: the step has not read any yet"
    lost = replace(MARK, lost=True)
    assert why_changed(STEP, SETTINGS, lost, AT) == "rebuild from all rows: the table `people` no longer exists"


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("box", "the SQL box has changed"),
        ("write", "the action, the match or the mapping has changed"),
        ("table", "the definition of its table has changed"),
    ],
)
def test_edited_part_of_the_step_is_named(part: str, reason: str) -> None:
    edited = replace(STEP, fingerprint=tuple((each, "new" if each == part else h) for each, h in STEP.fingerprint))
    assert why_changed(edited, SETTINGS, MARK, AT) == f"rebuild from all rows: {reason} since run run-7"


@pytest.mark.parametrize(
    ("edit", "rebuilds"),
    [
        ({"mode": "live"}, True),
        ({"api_version": "2027-01-01.x"}, True),
        ({"base_url": "sandbox"}, True),
        ({"accounts": ("acct_1",)}, True),
        ({"secret": ("env", "OTHER")}, False),
        ({"timeout_ms": 1, "requests_per_second": 5.0, "agent": "far", "reread": {"customers": 1.0}}, False),
    ],
)
def test_connection_to_another_account_causes_a_rebuild(edit: dict[str, Any], rebuilds: bool) -> None:
    reason = why_changed(STEP, replace(SETTINGS, **edit), MARK, AT)
    assert reason.startswith("rebuild from all rows: the connection has changed" if rebuilds else "rows changed since")
