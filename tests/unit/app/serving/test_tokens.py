"""API tokens and the audit log."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.app.errors import RefusalError
from engine.app.logging import redact
from engine.app.serving.audit import Audit
from engine.app.serving.tokens import Keys, list_tokens, new_token, revoke_token
from engine.app.state import utc_now
from engine.app.workspace import Workspace
from engine.stores import SqlServingStore
from tests.support.serving import make_project

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_project(tmp_path)


@pytest.fixture
def store(root: Path) -> Iterator[SqlServingStore]:
    opened = Workspace.open(root).serving()
    yield opened
    opened.close()


def test_new_token_is_stored_only_as_a_hash(root: Path, store: SqlServingStore) -> None:
    text, record = new_token(Workspace.open(root), "ci", ("run", "read"), timedelta(days=1))
    secret = text.rpartition("_")[2]
    assert len(bytes.fromhex(secret)) == 32
    assert record.scopes == ("read", "run")
    found = Keys(store, utc_now).holder(text)
    assert found is not None
    assert found.name == "ci"
    kept = b"".join(path.read_bytes() for path in (root / ".weir").rglob("*") if path.is_file())
    assert secret.encode() not in kept


def test_token_with_a_wrong_secret_or_form_has_no_holder(root: Path, store: SqlServingStore) -> None:
    text, _ = new_token(Workspace.open(root), "ci", ("read",), None)
    keys = Keys(store, utc_now)
    head, _, secret = text.rpartition("_")
    for wrong in (f"{head}_{'0' * 64}", f"weir_{'0' * 12}_{secret}", text.upper(), text + " ", f"{text}\n", "", "x"):
        assert keys.holder(wrong) is None


def test_token_is_invalid_from_its_expiry(root: Path, store: SqlServingStore) -> None:
    text, record = new_token(Workspace.open(root), "ci", ("read",), timedelta(hours=1))
    assert record.expires is not None
    now = record.expires - timedelta(microseconds=1)
    keys = Keys(store, lambda: now)
    assert keys.holder(text) is not None
    now = record.expires
    assert keys.holder(text) is None


def test_last_use_of_a_token_is_recorded_once_a_minute(root: Path, store: SqlServingStore) -> None:
    text, record = new_token(Workspace.open(root), "ci", ("read",), None)
    now = NOW
    keys = Keys(store, lambda: now)
    for seconds, noted in ((0, 0), (30, 0), (61, 61)):
        now = NOW + timedelta(seconds=seconds)
        keys.holder(text)
        kept = store.token(record.id)
        assert kept is not None
        assert kept.used == NOW + timedelta(seconds=noted)


def test_token_name_is_unique_until_it_is_revoked(root: Path) -> None:
    _, first = new_token(Workspace.open(root), "ci", ("read",), None)
    with pytest.raises(RefusalError, match="there is a token `ci` already"):
        new_token(Workspace.open(root), "ci", ("read",), None)
    revoke_token(Workspace.open(root), "ci")
    _, second = new_token(Workspace.open(root), "ci", ("admin",), None)
    assert revoke_token(Workspace.open(root), second.id).id == second.id
    assert {each.id for each in list_tokens(Workspace.open(root))} == {first.id, second.id}
    with pytest.raises(RefusalError, match="no token `ci` that holds"):
        revoke_token(Workspace.open(root), "ci")


@pytest.mark.parametrize("name", ["", "schedule", "a b", "-x", "x" * 64, "a\nb", "é"])
def test_invalid_token_name_is_refused(root: Path, name: str) -> None:
    with pytest.raises(RefusalError, match="no name for a token"):
        new_token(Workspace.open(root), name, ("read",), None)


def test_redact_removes_a_token(root: Path) -> None:
    text, _ = new_token(Workspace.open(root), "ci", ("read",), None)
    assert text.rpartition("_")[2] not in redact(f"Authorization: Bearer {text}, again {text[:40]}")


def test_audit_log_is_private_appended_and_rotated(tmp_path: Path) -> None:
    audit = Audit(tmp_path / "audit.jsonl", lambda: NOW, largest=300)
    for number in range(3):
        audit.note("POST /reload", who="token ci", result="done", number=number, note="x" * 80 + "\n")
    [line] = audit.path.read_text().splitlines()
    older = [json.loads(each) for each in (tmp_path / "audit.jsonl.1").read_text().splitlines()]
    assert [each["number"] for each in [*older, json.loads(line)]] == [0, 1, 2]
    assert stat.S_IMODE(audit.path.stat().st_mode) == 0o600
