"""The picture of a terminal session in the README, made from what the program prints.

    python -m tools.docs.session [FILE]

Run times and ids of runs differ from one session to the next, so they are written as fixed values.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.terminal_theme import DIMMED_MONOKAI
from rich.text import Text

PICTURE: Final = Path(__file__).parents[2] / "docs" / "session.svg"
WIDTH: Final = 100
COMMANDS: Final[tuple[tuple[str, ...], ...]] = (
    ("validate",),
    ("validate", "--fix"),
    ("run",),
    ("query", "schema", "SELECT name, email, created_at FROM customers ORDER BY 3 DESC LIMIT 3"),
)
_DEFINITION: Final = "interfaces/customers.yaml"
_MISTAKE: Final = ("name, email, created", "name, emial, created")
_RUN: Final = re.compile(r"in \d+\.\d s \(run [0-9a-f-]+\)")
_FIXED_RUN: Final = "in 0.5 s (run 20260101-090000-1f6e0a)"

# The format of rich without its fonts, which come from another host.
_FORMAT: Final = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<!-- Generated: `python -m tools.docs.session` makes it again. -->
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: {char_height}px; \
line-height: {line_height}px; font-variant-east-asian: full-width; }}
.{unique_id}-title {{ font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 18px; font-weight: bold; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def session(folder: Path) -> Iterator[tuple[str, str]]:
    """Each command line with what it prints to the terminal, in a new project `shop` with a mistake in a SQL box."""
    _weir(folder, "init", "shop")
    project = folder / "shop"
    definition = project / _DEFINITION
    definition.write_text(definition.read_text(encoding="utf-8").replace(*_MISTAKE), encoding="utf-8")
    for command in COMMANDS:
        shown = " ".join(f'"{word}"' if " " in word else word for word in command)
        yield f"weir {shown}", _RUN.sub(_FIXED_RUN, _weir(project, *command))


def picture(folder: Path) -> str:
    """The session as SVG. Its project stays in the folder, which must be empty."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for command, output in session(folder):
        console.print(Text.assemble(("$ ", "bold green"), (command, "bold")), soft_wrap=True)
        console.print(Text.from_ansi(output.rstrip()), soft_wrap=True)
        console.print()
    return console.export_svg(title="weir", theme=DIMMED_MONOKAI, code_format=_FORMAT, unique_id="weir")


def main() -> None:
    """Draw the picture of the README, or the one that the first argument names."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(sys.argv[1]) if len(sys.argv) > 1 else PICTURE
        target.write_text(picture(Path(folder)), encoding="utf-8")


def _weir(folder: Path, *arguments: str) -> str:
    """What `weir` prints to stdout in the folder; progress on stderr is replaced by the summary at the end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STRIPE", "CI", "GITHUB"))}
    command = [sys.executable, "-m", "engine.cli", "--color", *arguments]
    environment = {**kept, "COLUMNS": str(WIDTH), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout


if __name__ == "__main__":
    main()
