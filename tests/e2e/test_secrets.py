"""A key that is given to every verb and format is found nowhere: not in what is printed, not in any file."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support.processes.command import shipped_project, weir

KEY = "sk_test_" + "Qx7Lm2Vb9" * 4
FORMS = (KEY, KEY[8:], quote(KEY, safe=""), base64.b64encode(KEY.encode()).decode().rstrip("=")[:-1])
COMMANDS = (
    ("validate",),
    ("validate", "--format", "json"),
    ("validate", "--format", "sarif"),
    ("validate", "--format", "github"),
    ("plan",),
    ("plan", "--format", "json"),
    ("run", "invoice_lines"),
    ("run", "invoice_lines", "--format", "json"),
    ("test-connection",),
    ("test-connection", "--format", "json"),
    ("query", "stripe_main"),
    ("query", "stripe_main", "SELECT id FROM customers", "--format", "json"),
    ("query", "schema", "SELECT 1 AS one"),
    ("status",),
    ("status", "--format", "json"),
    ("runs",),
    ("runs", "--format", "json"),
    ("doctor",),
    ("doctor", "--format", "json"),
    ("catalog", "customers"),
    ("connectors",),
    ("explain",),
    ("schema", "--check"),
)


@pytest.mark.parametrize("address", ["sandbox", "http://127.0.0.1:9"])
def test_the_key_is_nowhere(tmp_path: Path, address: str) -> None:
    project = shipped_project(tmp_path / "project")
    file = project / "connections" / "stripe_main.yaml"
    text = file.read_text().replace("base_url: sandbox\n", f"base_url: {address}\n")
    file.write_text(text.replace("timeout_ms: 30000\n", "timeout_ms: 300\n"))
    environment = {"STRIPE_SECRET_KEY": KEY, "WEIR_DEBUG": "1"}
    for arguments in COMMANDS if address == "sandbox" else (("run", "invoice_lines"), ("test-connection",)):
        done = weir(project, *arguments, environment=environment, hasty=True)
        assert done.code in ((0,) if address == "sandbox" else (1, 3)), (arguments, done)
        for form in FORMS:
            assert form not in done.out + done.err, arguments
    files = [path for path in project.rglob("*") if path.is_file()]
    assert any(".weir" in path.parts for path in files)
    for path in files:
        content = path.read_bytes()
        assert not any(form.encode() in content for form in FORMS), path


def test_a_key_in_a_definition_is_refused_and_not_repeated(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    file = project / "connections" / "stripe_main.yaml"
    file.write_text(file.read_text().replace("{env: STRIPE_SECRET_KEY}", KEY))
    for style in ("text", "json", "sarif", "junit"):
        done = weir(project, "validate", "--format", style)
        assert done.code == 2
        assert KEY not in done.out + done.err, style
        assert KEY[8:] not in done.out + done.err, style
    for verb in (("plan",), ("run",), ("test-connection",), ("query", "stripe_main")):
        done = weir(project, *verb)
        assert done.code in (2, 64)
        assert KEY[8:] not in done.out + done.err, verb
