"""Plans and runs as text, compared as a whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.app.authoring.scaffold import start_project
from engine.app.running.plan import make_plan
from engine.app.workspace import Workspace
from engine.plan import Plan, plan_from_json
from engine.report.plans.plan_json import render_plan_json
from engine.report.plans.plan_text import render_plan_text
from engine.report.runs.run_json import render_event_json
from engine.report.runs.run_text import render_counts, render_event_line, render_summary
from engine.run import Drift, Outcome, Reject, Run, RunStarted, TaskEnded, TaskProgressed, TaskStarted

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAN = """\
stripe_main (stripe, API 2026-10-28.endive, embedded sandbox)

  read customers  requests: known after the first run
    GET /v1/customers?created[gte]=1577836800&limit=100
    lists; asks only for created >= 2020-01-01; Stripe does not list customers on a test clock, unless
    `test_clock` is compared with their clock
    events: every change emits an event: seen by the next run
    for customers.load

  read account  about 1 request
    account of the key

customers

  load: upsert customers  interfaces/customers.yaml
    matches rows by customer_id = id; inserts new rows, updates changed ones
    from stripe_main.customers
    maps customer_id ← id, name, email, created_at ← created
    | SELECT id, name, email, created
    | FROM customers
    | WHERE created >= TIMESTAMP '2020-01-01 00:00:00'

requests: known after the first run; 1 table written; plan {hash}
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("project") / "fresh"
    start_project(folder)
    return make_plan(Workspace.open(folder), (), {})[1]


def outcome(task: str, status: Any, **facts: Any) -> Outcome:
    kind = "extract" if ":" in task else "import"
    return Outcome(task, kind, task, None, status, NOON, NOON + timedelta(seconds=1), **facts)


def run_of(status: Any, *outcomes: Outcome) -> Run:
    return Run("r1", ("customers",), status, NOON, NOON + timedelta(seconds=2.25), "hash", outcomes, {})


def test_plan_text_shows_the_whole_plan(plan: Plan) -> None:
    assert render_plan_text(plan) == PLAN.replace("{hash}", plan.hash[:12])
    assert "SELECT" not in render_plan_text(plan, with_sql=False)
    coloured = render_plan_text(plan, colour=True)
    assert "\x1b[" in coloured


def test_plan_json_reads_back_as_the_plan(plan: Plan) -> None:
    assert plan_from_json(json.loads(render_plan_json(plan))) == plan


def test_summary_shows_reads_and_writes(plan: Plan) -> None:
    run = run_of(
        "succeeded",
        outcome("stripe_main:customers", "succeeded", counts={"requests": 1, "rows": 59, "bytes": 9}),
        outcome("customers.load", "succeeded", counts={"read": 59, "inserted": 9, "updated": 0, "unchanged": 50}),
    )
    assert render_summary(plan, run) == (
        "Read\n"
        "  stripe_main.customers  1 request, 59 rows\n"
        "Written\n"
        "  customers  59 read, 9 inserted, 50 unchanged  from stripe_main.customers\n"
        "succeeded in 2.2 s (run r1)\n"
    )


def test_summary_shows_warnings_drift_and_rejects(plan: Plan) -> None:
    rejects = tuple(Reject({"customer_id": f"cus_{n}"}, "email", "is no text") for n in range(6))
    run = run_of(
        "succeeded",
        outcome(
            "stripe_main:customers",
            "succeeded",
            counts={"requests": 1, "rows": 1},
            drift=(Drift("customers", "loyalty", "unknown", 3),),
            warnings=("no rows in `customers`",),
        ),
        outcome(
            "customers.load", "succeeded", counts={"read": 6, "rejected": 6}, rejects=rejects, warnings=("6 rows",)
        ),
    )
    text = render_summary(plan, run)
    assert "warning: stripe_main:customers: no rows in `customers`" in text
    assert "warning: `customers.loyalty` is not in the catalogue (3 rows; stored in `_extra`)" in text
    assert "warning: customers.load: 6 rows\n" in text
    assert "use `weir runs rejects` to list more" in text
    assert "    customer_id = cus_0: `email` is no text" in text
    assert "cus_5" not in text


def test_summary_shows_a_failure_with_its_hint_and_without_a_key(plan: Plan) -> None:
    key = "sk_live_" + "a1B2" * 6
    run = run_of(
        "failed",
        outcome("stripe_main:customers", "failed", message=f"bad key {key}", hint="check the key"),
        outcome("customers.load", "skipped", message="`stripe_main:customers` failed"),
    )
    text = render_summary(plan, run)
    assert "  stripe_main.customers  failed: bad key sk_live_****" in text
    assert key not in text
    assert "help: check the key" in text
    assert text.endswith("failed in 2.2 s (run r1)\n")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({}, "nothing new"),
        ({"requests": 1, "rows": 1}, "1 request, 1 row"),
        ({"requests": 1200, "rows": 0, "inserted": 3}, "1,200 requests, 3 inserted"),
    ],
)
def test_counts_skip_zeros(counts: Mapping[str, int], expected: str) -> None:
    assert render_counts(counts) == expected


def test_event_line_of_each_event() -> None:
    assert render_event_line(RunStarted(NOON, "r1", ("a",), ("t", "u"))) == "run r1: 2 tasks"
    assert render_event_line(TaskStarted(NOON, "r1", "t", "extract", "read x")) == "  … read x"
    assert render_event_line(TaskProgressed(NOON, "r1", "t", {"rows": 1})) is None
    ended = TaskEnded(NOON, "r1", "t", "extract", "failed", {}, "no", "try again")
    assert render_event_line(ended) == "  failed t: no\n      help: try again"
    written = json.loads(render_event_json(ended))
    assert written["event"] == "task_ended"
    assert written["at"] == "2026-03-01T12:00:00+00:00"
    assert written["counts"] == {}
