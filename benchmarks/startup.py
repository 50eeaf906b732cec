"""What a command costs before it does anything: CPU seconds of `weir --help`, of `weir validate` of the shipped
project, and of a second `weir run` of it, for which there is nothing new to read or write.

    python -m benchmarks.startup [--rounds 9] [--against PATH]

`--against` measures another checkout of Weir beside this one, in turns; it needs a `.venv` of its own. The figures are
medians. A run counts the embedded sandbox, which is a process of its own.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measure import ROOT, clean, save, show, timed

COMMANDS: Mapping[str, Sequence[str]] = {"help": ("--help",), "validate": ("validate",), "run": ("run",)}
DEFINITIONS = ("connections", "interfaces", "schemas")


class Checkout:
    """A checkout of Weir, and a project in `folder` that it has run once."""

    def __init__(self, root: Path, folder: Path) -> None:
        self._weir = root / ".venv" / "bin" / "weir"
        self._project = folder / "project"
        for name in DEFINITIONS:
            shutil.copytree(ROOT / name, self._project / name)
        self._environment = {name: value for name, value in clean().items() if name != "PYTHONPATH"}
        for command in COMMANDS.values():
            self.cpu_seconds(command)

    def cpu_seconds(self, command: Sequence[str]) -> float:
        """What the command takes, with its children."""
        return timed([str(self._weir), *command], self._environment, self._project).cpu_seconds


def measure(roots: Mapping[str, Path], rounds: int) -> dict[str, dict[str, float]]:
    """By name of the checkout and by command, the median of the rounds. The checkouts take turns."""
    with ExitStack() as stack:
        folders = {name: Path(stack.enter_context(tempfile.TemporaryDirectory())) for name in roots}
        checkouts = {name: Checkout(root, folders[name]) for name, root in roots.items()}
        taken: dict[str, dict[str, list[float]]] = {name: {each: [] for each in COMMANDS} for name in roots}
        for _ in range(rounds):
            for each, command in COMMANDS.items():
                for name, checkout in checkouts.items():
                    taken[name][each].append(checkout.cpu_seconds(command))
    return {
        name: {each: round(statistics.median(seconds), 3) for each, seconds in own.items()}
        for name, own in taken.items()
    }


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--against", type=Path, metavar="PATH")
    given = parser.parse_args(arguments)
    roots = {"this": ROOT} | ({"other": given.against.resolve()} if given.against is not None else {})
    found = measure(roots, given.rounds)
    rows = [(each, *(found[name][each] for name in roots)) for each in COMMANDS]
    show([("CPU seconds", 16), *((name, 10) for name in roots)], rows)
    save("startup", {"rounds": given.rounds, "cpu_seconds": found})


if __name__ == "__main__":
    main()
