"""`python -m tools.stripe_catalogue [--check]`: write the catalogue, or compare it."""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path

from engine.connectors.stripe.catalogue import load
from tools.stripe_catalogue.assemble import build_catalogue
from tools.stripe_catalogue.compare import differences
from tools.stripe_catalogue.encode import decode, encode
from tools.stripe_catalogue.source import PACKAGE


def main(arguments: list[str]) -> int:
    """Write the data files, or with `--check` compare them. Exit code 0: done or fresh, 1: stale, 3: no SDK."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.stripe_catalogue", description="write the Stripe catalogue from the installed SDK"
    )
    parser.add_argument("--check", action="store_true", help="write nothing; print the differences")
    options = parser.parse_args(arguments)
    root = sdk_root()
    if root is None:
        sys.stderr.write("the stripe package is not installed\n")
        return 3
    differ = False
    for target, data in generate(root).items():
        committed = target.read_bytes() if target.exists() else None
        for line in differences(decode(committed), decode(data)) if committed is not None else [f"+ {target.name}"]:
            sys.stdout.write(f"{target.name}: {line}\n")
        differ = differ or committed != data
        if not options.check:
            target.write_bytes(data)
    return 1 if options.check and differ else 0


def sdk_root() -> Path | None:
    """The folder of the installed stripe package, without importing it."""
    found = find_spec(PACKAGE)
    return Path(found.origin).parent if found is not None and found.origin is not None else None


def generate(root: Path) -> dict[Path, bytes]:
    """The contents of the data files for the SDK in `root`."""
    catalogue, params = build_catalogue(root)
    folder = Path(load.__file__).parent
    return {folder / load.CATALOGUE_FILE: encode(catalogue), folder / load.PARAMS_FILE: encode(params)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
