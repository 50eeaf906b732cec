"""Runs all benchmarks in about twenty minutes; each one is also a separate command.

    python -m benchmarks [NAME ...]

Names: load, growth, rates, second, imports, exports, definitions, startup, reload, soak. Reports and plots go to
benchmarks/results.
For other sizes run a single one: `python -m benchmarks.load --rows 1000000`.
"""

from __future__ import annotations

import argparse
import time
from importlib import import_module

BENCHMARKS = ("load", "growth", "rates", "second", "imports", "exports", "definitions", "startup", "reload", "soak")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME")
    for name in parser.parse_args().names or BENCHMARKS:
        start = time.monotonic()
        print(f"# {name}", flush=True)
        import_module(f"benchmarks.{name}").main([])
        print(f"({time.monotonic() - start:.0f} s)\n", flush=True)


if __name__ == "__main__":
    main()
