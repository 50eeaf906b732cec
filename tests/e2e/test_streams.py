"""What the command prints may be cut off or watched: neither changes what it does."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.processes.command import WEIR, weir
from tests.support.processes.served import wait_for


@pytest.fixture
def project(tmp_path: Path) -> Path:
    weir(tmp_path, "init", "shop").succeeded()
    return tmp_path / "shop"


def test_a_run_ends_well_when_its_reader_goes(project: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [str(WEIR), "run", "--format", "json"],
        cwd=project,
        stdout=writer,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")
    assert '"status": "succeeded"' in weir(project, "runs", "--format", "json").succeeded().out


@pytest.mark.parametrize("arguments", [("explain",), ("plan",), ("query", "schema", "SELECT 1", "--format", "csv")])
def test_a_full_disk_is_said_in_words(project: Path, arguments: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [str(WEIR), *arguments], cwd=project, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (3, "error: no space left on device\n")


def test_a_pipe_that_closes_early_is_no_error(project: Path) -> None:
    sql = "SELECT repeat('x', 100) AS x FROM range(50000)"
    command = [str(WEIR), "query", "schema", sql, "--format", "csv"]
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == b"x\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_on_a_terminal_the_answer_stands_alone(project: Path) -> None:
    """Bars are gone before the answer is printed, and nothing of how it was found stays."""
    master, slave = pty.openpty()
    command = [str(WEIR), "query", "stripe_main", "SELECT id FROM customers LIMIT 1"]
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": "", "CI": ""}
    with subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, stderr=slave, env=environment) as process:
        os.close(slave)
        shown = b""
        while chunk := _read(master):
            shown += chunk
        assert process.stdout is not None
        answer = process.stdout.read().decode()
    os.close(master)
    head, _, customer = answer.partition("\n")
    assert head == "id"
    assert "cus_" in customer
    assert b"read stripe_main.customers" in shown
    assert b" ok " not in shown
    assert shown.endswith(b"1 row\r\n")


@pytest.mark.parametrize("isolated", ["--isolated", "--no-isolated"])
def test_a_long_query_ends_when_it_is_interrupted(project: Path, isolated: str) -> None:
    sql = "SELECT count(*) FROM range(1000000000) AS a, range(100000) AS b"
    command = [str(WEIR), "query", "schema", isolated, sql]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    ) as process:
        wait_for(lambda: any((project / ".weir").rglob("*.part")) or process.poll() is not None)
        time.sleep(0.3)
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"error: the query was stopped\n")
    assert time.monotonic() - begun < 10
    assert list((project / ".weir" / "scratch").iterdir()) == []


def _read(master: int) -> bytes:
    try:
        return os.read(master, 4096)
    except OSError:  # the other side has closed
        return b""
