"""What must not stand in any file of the repository: registries' hosts, machines' paths, secrets."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Written in pieces, so that this file does not hold them either.
HOSTS = ["py" + "pi.org", "files.python" + "hosted.org", "registry.npm" + "js.org", "deb." + "debian.org"]
KEYS = re.compile(r"\b(?:sk|rk)_live_[A-Za-z0-9]{16,}|\bwhsec_[A-Za-z0-9]{24,}")


def tracked() -> list[Path]:
    """All files that git tracks here, apart from data that is no text."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    paths = [ROOT / name for name in listed.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix not in {".gz", ".zst", ".png"}]


def test_no_file_names_a_registry() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if any(host in path.read_text("utf-8", "replace") for host in HOSTS)
    ]
    assert found == []


def test_the_locks_hold_no_addresses() -> None:
    for lock in (ROOT / "requirements.lock", ROOT / "requirements-dev.lock"):
        text = lock.read_text()
        assert "://" not in text
        assert not re.search(r"^--", text, re.MULTILINE)
        assert text.count("--hash=sha256:") > text.count("==")


def test_no_file_outside_the_tests_holds_a_live_key() -> None:
    found = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if "tests" not in path.relative_to(ROOT).parts and KEYS.search(path.read_text("utf-8", "replace"))
    ]
    assert found == []
