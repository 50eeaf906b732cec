"""What the generated Stripe catalogue depends on and what it is, as one digest. `make generated` writes it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from engine.connectors.stripe.catalogue import load
from tools.stripe_catalogue import __main__ as generator

ROOT = Path(__file__).parents[2]
FILE = ROOT / "tests/unit/tools/stripe_catalogue/generated.sha256"


def digest() -> str:
    """Of the SDK's pin, the source of the generator and the data, in hexadecimal."""
    pinned = re.search(r"^stripe==.*?(?=^\S)", (ROOT / "requirements.lock").read_text() + "end", re.M | re.S)
    assert pinned is not None
    found = hashlib.sha256(pinned[0].encode())
    for file in sorted(Path(generator.__file__).parent.glob("*.py")):
        found.update(file.read_bytes())
    for name in (load.CATALOGUE_FILE, load.PARAMS_FILE):
        found.update((Path(load.__file__).parent / name).read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    FILE.write_text(digest() + "\n")
