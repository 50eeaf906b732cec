"""Log lines hold no secret in any of its forms."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from engine.app.logging import Redactor, configure_logging, redact

KEY = "rk_test_" + "Zz09" * 6


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"Bearer {KEY}",
        f"https://{KEY}@example.test/",
        "whsec_" + "a1B2" * 8,
        "sk_live_" + "a1B2" * 8,
    ],
)
def test_redact_removes_what_looks_like_a_key(text: str) -> None:
    cleaned = redact(f"before {text} after")
    assert "***" in cleaned
    assert KEY not in cleaned
    assert "a1B2a1B2" not in cleaned
    assert cleaned.startswith("before ")


def test_redact_removes_known_secrets_in_every_encoding() -> None:
    secret = "p@ss/word of mine"
    encoded = base64.b64encode(f"{secret}:".encode()).decode()
    text = f"{secret} p%40ss%2Fword%20of%20mine {encoded} {base64.b64encode(secret.encode()).decode()}"
    assert redact(text, [secret]).replace("*", "").strip() == ""


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Restore logging after the test: the handlers made here write to a stream that ends with it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.usefixtures("own_logging")
def test_logs_are_redacted_json_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    redactor = Redactor()
    configure_logging("info", redactor, as_json=True)
    redactor.add("hunter2-hunter2")
    structlog.get_logger().info(
        "reading", key=KEY, nested={"list": ["hunter2-hunter2", 3]}, error=ValueError(f"bad {KEY}"), rows=7
    )
    structlog.get_logger().debug("not shown")
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert "hunter2" not in line
    assert KEY not in line
    written = json.loads(line)
    assert (written["event"], written["rows"], written["level"]) == ("reading", 7, "info")
    assert written["nested"] == {"list": ["***", 3]}
