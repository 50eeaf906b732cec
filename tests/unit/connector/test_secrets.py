"""A reference resolves to its secret, or to a helpful failure that does not reveal it."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest

from engine.connector import Failure, FailureKind, Secret
from engine.connector.sandbox import SANDBOX_KEY
from engine.connector.secrets import resolve_secret

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"


def text(found: Secret | Failure) -> str:
    """The text of the resolved secret."""
    assert isinstance(found, Secret), found
    return found.reveal()


def failure(found: Secret | Failure) -> Failure:
    """The failure. Asserts that it does not quote the key."""
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.SECRET
    assert KEY not in repr(found)
    return found


def test_secret_in_an_environment_variable() -> None:
    assert text(resolve_secret("env", "KEY", {"KEY": f" {KEY}\n"})) == KEY
    missing = failure(resolve_secret("env", "KEY", {"OTHER": KEY}))
    assert missing.message == "the environment variable `KEY` is not set"
    assert missing.hint is not None
    assert "export KEY" in missing.hint
    assert "empty" in failure(resolve_secret("env", "KEY", {"KEY": " "})).message


@pytest.mark.parametrize("value", [f"{KEY}\r\nHost: evil", f"{KEY} {KEY}", f"{KEY}\u00e9", f"{KEY}\x00"])
def test_secret_that_is_not_one_word_is_refused(value: str) -> None:
    assert "no single word" in failure(resolve_secret("env", "KEY", {"KEY": value})).message


def test_secret_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}\n")
    assert text(resolve_secret("file", "key", {}, base=tmp_path)) == KEY
    assert text(resolve_secret("file", str(tmp_path / "key"), {})) == KEY
    assert "no such file" in failure(resolve_secret("file", "none", {}, base=tmp_path)).message
    (tmp_path / "large").write_bytes(b"a" * 20_000)
    assert "too large" in failure(resolve_secret("file", "large", {}, base=tmp_path)).message
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    assert "plain text" in failure(resolve_secret("file", "binary", {}, base=tmp_path)).message


def test_secret_from_a_command(tmp_path: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "KEY": KEY}
    program = f"{sys.executable} -c 'import os; print(os.environ[\"KEY\"])'"
    assert text(resolve_secret("command", program, environment, base=tmp_path)) == KEY
    ended = failure(resolve_secret("command", f"{sys.executable} -c 'print(\"{KEY}\"); exit(3)'", environment))
    assert "exit code 3" in ended.message
    assert "did not start" in failure(resolve_secret("command", "no-such-program-here x", environment)).message
    assert "quotes" in (failure(resolve_secret("command", "'", environment)).hint or "")


def test_secret_command_runs_without_a_shell(tmp_path: Path) -> None:
    found = failure(resolve_secret("command", "echo a > made; echo b", {"PATH": os.environ["PATH"]}, base=tmp_path))
    assert "no single word" in found.message
    assert list(tmp_path.iterdir()) == []


def test_secret_in_a_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    keyring = types.ModuleType("keyring")
    entries = {("weir", "me"): KEY}
    keyring.get_password = lambda service, user: entries.get((service, user))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    assert text(resolve_secret("keyring", "weir/me", {})) == KEY
    assert "no entry" in failure(resolve_secret("keyring", "weir/you", {})).message
    assert "service/user" in (failure(resolve_secret("keyring", "weir", {})).hint or "")


def test_secret_of_the_sandbox_is_its_own_key() -> None:
    assert text(resolve_secret("sandbox", "", {"STRIPE_SECRET_KEY": KEY})) == SANDBOX_KEY


def test_secret_of_an_unknown_kind_is_refused() -> None:
    assert "`vault`" in failure(resolve_secret("vault", "x", {})).message
