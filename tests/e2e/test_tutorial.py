"""Runs docs/tutorial.md as a reader would: every command, in order, in one folder, and compares what it prints.

In a ```console block a line that starts with `$ ` is a command; the lines after it are what it prints, where `…` stands
for any text. `$ echo $?` style checks are written as `[exit N]` on a line of its own after the output. A block that
begins with "# file: NAME" is written to that file; one with "# edit: NAME" holds `- old` and `+ new` lines.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.processes.forks import fork

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Command:
    """A command with the output and the exit code that the tutorial promises."""

    line: int
    text: str
    output: str
    exit_code: int


def commands(block: str, line: int) -> Iterator[Command]:
    """The commands of a console block."""
    for part in re.split(r"^(?=\$ )", block, flags=re.MULTILINE):
        if not part.startswith("$ "):
            continue
        text, _, output = part[2:].partition("\n")
        code = re.search(r"^\[exit (\d+)\]\n?", output, re.MULTILINE)
        yield Command(line, text, output.replace(code[0], "") if code else output, int(code[1]) if code else 0)
        line += part.count("\n")


def matches(expected: str, printed: str) -> bool:
    """Whether the output is what the tutorial shows, trailing blanks aside."""
    tidy = "\n".join(row.rstrip() for row in expected.strip().splitlines())
    pattern = ".*?".join(re.escape(part) for part in tidy.split("…"))
    return re.fullmatch(pattern, "\n".join(row.rstrip() for row in printed.strip().splitlines()), re.DOTALL) is not None


def apply(block: str, folder: Path) -> bool:
    """Do what a file or edit block says; False for any other block."""
    first, _, body = block.partition("\n")
    if first.startswith("# file: "):
        target = folder / first.removeprefix("# file: ")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(body)
        return True
    if first.startswith("# edit: "):
        target = folder / first.removeprefix("# edit: ")
        old = "".join(f"{row[2:]}\n" for row in body.splitlines() if row.startswith("- "))
        new = "".join(f"{row[2:]}\n" for row in body.splitlines() if row.startswith("+ "))
        text = target.read_text()
        assert text.count(old) == 1, f"{target.name} holds {text.count(old)} times:\n{old}"
        target.write_text(text.replace(old, new))
        return True
    return False


def run(text: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """(exit code, output) of a line. The shell reads it, unless it is `weir` with words and quotes and nothing else."""
    with tempfile.TemporaryFile() as out:
        if text.startswith("weir ") and not re.search(r"[$`\\|&;<>*?]", re.sub(r'"[^"$`\\]*"', "", text)):
            arguments = shlex.split(text)[1:]
            process = fork(folder, arguments, environment, stdout=out.fileno(), stderr=subprocess.STDOUT)
            code = process.wait(120)
        else:
            code = subprocess.run(
                text, shell=True, cwd=folder, env=environment, timeout=120,
                stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            ).returncode  # fmt: skip
        out.seek(0)
        return code, out.read().decode()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """An empty folder. What the tutorial leaves running in the background is ended."""
    yield tmp_path
    noted = tmp_path / "watch.pid"
    if noted.exists():
        with suppress(ProcessLookupError):
            os.kill(int(noted.read_text()), signal.SIGTERM)


def test_tutorial_commands_print_what_it_shows(folder: Path) -> None:
    text = TUTORIAL.read_text()
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("STRIPE", "CI", "GITHUB"))}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "120", "NO_COLOR": "1"}
    ran = 0
    for fence in FENCE.finditer(text):
        if apply(fence[2], folder) or fence[1] != "console":
            continue
        for command in commands(fence[2], text[: fence.start()].count("\n") + 2):
            code, printed = run(command.text, folder, environment)
            where = f"tutorial.md:{command.line}: $ {command.text}\n"
            assert code == command.exit_code, where + printed
            assert matches(command.output, printed), f"{where}expected:\n{command.output}\nprinted:\n{printed}"
            ran += 1
    assert ran >= 8
