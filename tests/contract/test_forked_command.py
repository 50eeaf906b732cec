"""A command that is forked from the nursery does what one does that a shell starts: most tests use the former."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.processes.command import Done, bare_environment, shipped_project, started_weir, weir, without_network
from tests.support.processes.forks import fork

pytestmark = pytest.mark.process

COMMANDS = {
    "validate": ("validate",),
    "findings as JSON": ("validate", "--format", "json"),
    "plan": ("plan",),
    "run": ("run", "invoice_lines"),
    "query": ("query", "schema", "SELECT 1 AS one", "--format", "csv"),
    "tests": ("test",),
    "new definition": ("new", "schema", "fresh", "--column", "id"),
    "catalogue": ("catalog", "customers"),
    "usage error": ("vaildate",),
    "refusal": ("query", "nothing", "SELECT 1"),
}
CHANGING = re.compile(
    r"\d{8}-\d{6}-[0-9a-f]+|127\.0\.0\.1:\d+|\d+(\.\d+)? (ms|s|seconds)\b|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?|pid \d+"
)
"""Names and times of a run."""


def same(text: str, folder: Path) -> str:
    """Without what differs from one run to the next."""
    return CHANGING.sub("…", text.replace(str(folder), "FOLDER"))


def files(folder: Path) -> dict[str, str]:
    """The files of a project by name, with the text of those that are not state."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".db-wal", ".db-shm")]
    return {
        str(path.relative_to(folder)): "" if ".weir" in path.parts else path.read_text(errors="replace")
        for path in found
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_forked_command_prints_returns_and_writes_what_a_started_one_does(name: str, tmp_path: Path) -> None:
    results: list[tuple[int, str, str, dict[str, str]]] = []
    for kind, run in (("forked", weir), ("started", started_weir)):
        folder = shipped_project(tmp_path / kind)
        (folder / "guard").mkdir()
        done: Done = run(folder, *COMMANDS[name], environment={"WEIR_DEBUG": "1"}, stdin="")
        results.append((done.code, same(done.out, folder), same(done.err, folder), files(folder)))
    assert results[0] == results[1]


def test_forked_command_sees_its_own_stdin_environment_and_guard(tmp_path: Path) -> None:
    folder = shipped_project(tmp_path / "project")
    sql = "SELECT 2 AS two"
    arguments = ("query", "schema", "-", "--format", "csv")
    both = [run(folder, *arguments, stdin=sql).succeeded() for run in (weir, started_weir)]
    assert both[0] == both[1] == Done(0, "two\n2\n", both[0].err)
    refused = [run(folder, "run", environment=without_network(tmp_path)) for run in (weir, started_weir)]
    assert {done.code for done in refused} == {refused[0].code} != {0}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_forked_command_ends_by_a_signal_as_a_process_does(number: signal.Signals, tmp_path: Path) -> None:
    folder = shipped_project(tmp_path / "project")
    reader, writer = os.pipe()  # nobody writes: the command waits for its SQL
    with fork(folder, ("query", "schema", "-"), bare_environment(), stdin=reader, stderr=subprocess.PIPE) as process:
        process.send_signal(number)
        assert process.wait(30) == process.poll() == -number
    os.close(reader)
    os.close(writer)
