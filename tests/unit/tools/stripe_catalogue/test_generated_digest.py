"""The generator need not run while neither it, nor the pinned SDK, nor what it has written has changed."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from engine.connectors.stripe.catalogue import load
from tools.stripe_catalogue import __main__ as generator

ROOT = Path(__file__).parents[4]
DIGEST = Path(__file__).with_name("generated.sha256")
GENERATOR = Path(generator.__file__).parent


def test_generated_catalogue_unchanged_since_its_last_full_check() -> None:
    """`test_generated_data.py` has the full check, which is long and part of CI."""
    lock = (ROOT / "requirements.lock").read_text()
    pinned = re.search(r"^stripe==.*?(?=^\S)", lock + "end", re.MULTILINE | re.DOTALL)
    assert pinned is not None
    found = hashlib.sha256(pinned[0].encode())
    for file in sorted(GENERATOR.glob("*.py")):
        found.update(file.read_bytes())
    for name in (load.CATALOGUE_FILE, load.PARAMS_FILE):
        found.update((Path(load.__file__).parent / name).read_bytes())
    assert DIGEST.read_text().strip() == found.hexdigest(), (
        f"run `pytest {Path(__file__).parent.relative_to(ROOT)}`, and when only this test fails, write "
        f"{found.hexdigest()} to {DIGEST.relative_to(ROOT)}"
    )
