"""The writer keeps its contract against the project's sandbox over HTTP, with every kind of fault."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from engine.connector import ConnectorError, FailureKind, Writer, WriteRequest, WriteResult, WriteState
from engine.sandbox.admission.faults import REASONS
from engine.testing.writer_suite import Notes, WriterSuite
from tests.integration.write.conftest import Sandbox


def customer(name: str, lane: str | None = None, requires: str | None = None) -> WriteRequest:
    return WriteRequest(name, "customers.create", None, (("name", name), ("metadata[k]", "v")), lane, requires)


def write(sandbox: Sandbox, *requests: WriteRequest, **changes: object) -> tuple[list[WriteResult], Notes]:
    notes = Notes()
    sandbox.writer(**changes).write(requests, notes.hooks)
    return [notes.results[each.id] for each in requests], notes


def names(sandbox: Sandbox) -> list[str]:
    return [str(each["name"]) for each in sandbox.objects("/v1/customers")]


class TestStripeWriter(WriterSuite):
    table = "customers"

    @pytest.fixture(autouse=True)
    def _reach(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def make(self) -> Writer:
        return self.sandbox.writer()

    def create(self, name: str, lane: str | None = None, requires: str | None = None) -> WriteRequest:
        return customer(name, lane, requires)

    def refused(self, name: str, lane: str | None = None) -> WriteRequest:
        return WriteRequest(name, "customers.update", "cus_nowhere", (("name", name),), lane)

    def made(self) -> list[str]:
        return names(self.sandbox)


@pytest.mark.parametrize("reason", REASONS)
def test_write_is_retried_after_a_rate_limit(sandbox: Sandbox, reason: str) -> None:
    sandbox.fail("rate_limit", reason=reason, times=2)
    notes = Notes()
    counts = sandbox.writer().write([customer("a")], notes.hooks)
    assert notes.results["a"].state is WriteState.DONE
    assert (counts.requests, counts.retries, counts.limited) == (3, 2, 2)
    assert names(sandbox) == ["a"]


def test_write_is_retried_after_a_lock_that_does_not_count_as_a_limit(sandbox: Sandbox) -> None:
    sandbox.fail("lock", times=2)
    notes = Notes()
    counts = sandbox.writer().write([customer("a")], notes.hooks)
    assert notes.results["a"].state is WriteState.DONE
    assert (counts.requests, counts.retries, counts.limited) == (3, 2, 0)


def test_write_with_a_lasting_lock_fails(sandbox: Sandbox) -> None:
    sandbox.fail("lock")
    ((result,), _) = write(sandbox, customer("a"))
    assert result.state is WriteState.FAILED
    assert names(sandbox) == []


@pytest.mark.parametrize("kind", ["reset", "truncated", "malformed"])
@pytest.mark.parametrize("applied", [False, True])
def test_write_with_a_lost_response_is_retried(sandbox: Sandbox, kind: str, applied: bool) -> None:
    sandbox.fail(kind, times=1, applied=applied)
    ((result,), _) = write(sandbox, customer("a"))
    if kind == "malformed":  # The response arrives, but it cannot be read.
        assert (result.state, result.body) == (WriteState.UNKNOWN, None)
    else:
        assert result.state is WriteState.DONE
        assert result.replayed == (kind != "reset" or applied)
    assert names(sandbox) == ["a"]


@pytest.mark.parametrize("applied", [False, True])
def test_write_whose_response_never_arrives_is_unknown(sandbox: Sandbox, applied: bool) -> None:
    sandbox.fail("reset", applied=applied, times=1)
    ((result,), _) = write(sandbox, customer("a"), retry={"tries": 1})
    assert result.state is WriteState.UNKNOWN
    assert names(sandbox) == (["a"] if applied else [])
    ((result,), _) = write(sandbox, customer("a"))
    assert (result.state, result.replayed) == (WriteState.DONE, applied)
    assert names(sandbox) == ["a"]


@pytest.mark.parametrize("applied", [False, True])
def test_write_with_a_server_error_is_retried_and_unknown(sandbox: Sandbox, applied: bool) -> None:
    sandbox.fail("error", status=500, applied=applied, times=1)
    ((result,), _) = write(sandbox, customer("a"))
    assert result.state is WriteState.UNKNOWN
    assert result.failure is not None
    assert result.failure.status == 500
    assert names(sandbox) == (["a"] if applied else [])
    assert len(sandbox.writes()) == 2, "the second response replays the first one: another try would show nothing new"
    ((again,), _) = write(sandbox, customer("a"))
    assert again.state is WriteState.UNKNOWN
    assert names(sandbox) == (["a"] if applied else [])


@pytest.mark.parametrize("status", [400, 402, 404])
def test_refused_write_fails_without_a_retry(sandbox: Sandbox, status: int) -> None:
    sandbox.fail("error", status=status, times=1)
    ((result,), _) = write(sandbox, customer("a"))
    assert result.state is WriteState.FAILED
    assert len(sandbox.writes()) == 1


def test_timed_out_write_is_retried_with_the_same_key(sandbox: Sandbox) -> None:
    sandbox.fail("latency", seconds=0.4, times=1)
    retry = {"first": 0.2, "longest": 0.2, "tries": 9}
    ((result,), _) = write(sandbox, customer("a"), timeout_ms=150, retry=retry)
    assert (result.state, result.replayed) == (WriteState.DONE, True)
    sent = sandbox.writes()
    assert {each["idempotency_key"] for each in sent} == {"a"}
    assert len({each["body"] for each in sent}) == 1
    assert 409 in {each["status"] for each in sent}, "the first one was still going on"
    assert names(sandbox) == ["a"]


def test_many_writes_with_faults_of_every_kind_are_each_made_once(sandbox: Sandbox) -> None:
    for kind in ("rate_limit", "lock", "reset", "truncated"):
        sandbox.fail(kind, rate=0.08)
        sandbox.fail(kind, rate=0.04, applied=True)
    requests = [customer(f"n{number:02}", lane=f"l{number % 9}") for number in range(90)]
    results, notes = write(sandbox, *requests, retry={"tries": 40})
    assert {each.state for each in results} == {WriteState.DONE}
    assert sorted(names(sandbox)) == sorted(each.id for each in requests)
    assert any(each.replayed for each in results)
    assert any(notes.waited) or notes.waited == []


def test_delete_with_a_lost_response_is_done(sandbox: Sandbox) -> None:
    ((made,), _) = write(sandbox, customer("a"))
    sandbox.fail("reset", method="DELETE", applied=True, times=1)
    ((result,), _) = write(sandbox, WriteRequest("b", "customers.delete", made.object, ()))
    assert names(sandbox) == []
    assert (result.state, result.object) == (WriteState.DONE, made.object)
    ((again,), _) = write(sandbox, WriteRequest("c", "customers.delete", "cus_nowhere", ()))
    assert again.state is WriteState.FAILED


def test_deleted_object_is_reported_to_the_mirror(sandbox: Sandbox, tmp_path: Path) -> None:
    ((made, other), _) = write(sandbox, customer("a"), customer("b"))
    ((gone,), _) = write(sandbox, WriteRequest("c", "customers.delete", made.object, ()))
    assert gone.object == made.object
    answers = [
        (target, result.body or b"") for target, result in (("customers.create", made), ("customers.delete", gone))
    ]
    found = sandbox.writer().spool([*answers, ("customers.create", other.body or b"")], tmp_path / "x")
    assert dict(found.gone) == {"customers": (made.object,)}
    assert [(file.table, file.rows) for file in found.files] == [("customers", 1)]


def test_write_with_an_unknown_key_fails_with_its_kind(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "sk_test_somebody_elses")
    ((result,), _) = write(sandbox, customer("a"), secret=["env", "KEY"])
    assert result.state is WriteState.FAILED
    assert result.failure is not None
    assert result.failure.kind is FailureKind.KEY


@pytest.mark.parametrize(("secret", "kind"), [("", FailureKind.SECRET), ("sk_live_1", FailureKind.GRANT)])
def test_write_without_a_usable_key_is_refused_before_any_request(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, secret: str, kind: FailureKind
) -> None:
    monkeypatch.setenv("KEY", secret) if secret else monkeypatch.delenv("KEY", raising=False)
    notes = Notes()
    with pytest.raises(ConnectorError) as caught:
        sandbox.writer(secret=["env", "KEY"]).write([customer("a")], notes.hooks)
    assert caught.value.failure.kind is kind
    assert notes.told == []
    assert sandbox.writes() == []


def test_live_key_writes_if_allowed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "sk_live_1")
    sandbox.control("POST", "/keys", {"key": "sk_live_1", "livemode": True})
    ((result,), _) = write(sandbox, customer("a"), secret=["env", "KEY"], writes_live=True)
    assert result.state is WriteState.DONE
    assert json.loads(result.body or b"")["livemode"] is True


def test_impossible_request_fails_alone(sandbox: Sandbox) -> None:
    bad = [
        replace(customer("a"), target="customers.praise"),
        WriteRequest("b", "customers.update", None, (("name", "x"),)),
    ]
    results, _ = write(sandbox, *bad, customer("c"))
    assert [each.state for each in results] == [WriteState.FAILED, WriteState.FAILED, WriteState.DONE]
    assert names(sandbox) == ["c"]
