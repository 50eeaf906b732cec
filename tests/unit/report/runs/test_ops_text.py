"""A write of the ledger as text and as JSON, compared as a whole."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.cli.tables import json_line
from engine.connector import Failure, FailureKind
from engine.report.runs.ops_text import op_page_json, op_reason, render_op, what_follows, what_next
from engine.run import DOUBTFUL_STATES, Op, OpState

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KEY = "sk_" + "live_" + "51Hq8fGJ4aB7cD9eF0"
OP = Op(
    id="r1-000001-aa",
    run="r1",
    step="push.people",
    connection="stripe_main",
    number=1,
    use="create",
    target="customers.create",
    key='["7", "north"]',
    object=None,
    parameters=(("email", "ada@example.com"), ("metadata[ref]", "7")),
    state=OpState.QUARANTINED,
    planned=NOON,
    sent=NOON + timedelta(seconds=1),
    ended=NOON + timedelta(days=2),
    failure=Failure(
        FailureKind.PROVIDER, "something went wrong", "try later", type="api_error", status=500, request_id="req_1"
    ),
    request="req_1",
    note="nobody knows whether it was done, and it may have moved money",
)
PAGE = """\
r1-000001-aa  quarantined

write       customers.create: creates an object
row         7, north
step        push.people, number 1 of run r1
connection  stripe_main
planned     2026-03-01 12:00:00 UTC
sent        2026-03-01 12:00:01 UTC
ended       2026-03-03 12:00:00 UTC
request     req_1
note        nobody knows whether it was done, and it may have moved money

sent
  email = "ada@example.com"
  metadata[ref] = "7"

failure
  something went wrong
  status    500
  type      api_error
  request   req_1
  help      try later

Its outcome is unknown. Its row is not written again until the outcome is recorded.
Look for it at the provider (its log has the request req_1), and record the outcome with \
`weir ops resolve r1-000001-aa --done --object ID` or `--not-done`."""


def test_op_page_shows_every_fact() -> None:
    assert render_op(OP, NOON, running=False) == PAGE


def test_op_json_has_the_facts_of_the_page() -> None:
    found = json.loads(json_line(op_page_json(OP, NOON, running=False)))
    assert found["state"] == "quarantined"
    assert found["key"] == ["7", "north"]
    assert found["parameters"] == [["email", "ada@example.com"], ["metadata[ref]", "7"]]
    assert found["failure"]["request_id"] == "req_1"
    assert found["sent"] == "2026-03-01T12:00:01+00:00"
    assert PAGE.endswith(f"{found['means']}\n{found['next']}")


def test_op_page_and_json_mask_secrets_and_omit_answers() -> None:
    op = replace(
        OP,
        state=OpState.DONE,
        key=json.dumps([f"key {KEY}"]),
        parameters=(("description", f"paid with {KEY}"), ("card[token]", "tok_visa"), ("client_secret", "whatever")),
        failure=Failure(FailureKind.REQUEST, f"no such key {KEY}"),
        note=f"by {KEY}",
        answer=json.dumps({"secret": "whsec_abcdefgh12345678"}).encode(),
    )
    text = render_op(op, NOON, running=False)
    shown = text + json_line(op_page_json(op, NOON, running=False)) + op_reason(op)
    for secret in (KEY, "tok_visa", "whatever", "whsec_abcdefgh"):
        assert secret not in shown
    assert "paid with sk_live_*" in shown
    assert "the next run adds it" in text


def test_op_page_replaces_control_characters() -> None:
    op = replace(OP, key=json.dumps(["a\x1b[2Jb"]), note="c\rd", parameters=(("name", "e\x1bf"),))
    assert not {"\x1b", "\r"} & set(render_op(op, NOON, running=False))


@pytest.mark.parametrize("state", list(OpState))
def test_op_page_asks_for_a_decision_only_in_doubtful_states(state: OpState) -> None:
    op = replace(OP, state=state, failure=None)
    for running in (False, True):
        text = what_next(op, NOON, running=running)
        asks = "weir ops resolve" in text
        assert asks == (state in DOUBTFUL_STATES and (state is OpState.QUARANTINED or not running)), text


def test_unsettled_op_shows_how_it_is_settled() -> None:
    unknown = replace(OP, state=OpState.UNKNOWN, failure=None)
    assert "Run it again before 2026-03-02 11:00 UTC" in what_next(unknown, NOON, running=False)
    assert "may no longer know its id" in what_next(unknown, NOON + timedelta(hours=24), running=False)
    stored = replace(unknown, failure=OP.failure)
    assert "would only repeat the error" in what_next(stored, NOON, running=False)


def test_consequence_of_a_decision_depends_on_the_use() -> None:
    done = replace(OP, state=OpState.DONE, result="cus_1")
    assert "its row now belongs to cus_1" in what_follows(done)
    assert "is not changed" in what_follows(replace(done, use="replace"))
    assert "not called again" in what_follows(replace(done, use="call"))
    assert "compares its row again" in what_follows(replace(done, state=OpState.DROPPED))
