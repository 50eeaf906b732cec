"""The lock beside a DuckDB file: shared by readers, exclusive for a writer, and it names its holder."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import duckdb
import pytest

from engine.duck.files import attach, reading, writing
from engine.run import StoreError


def test_lock_is_shared_by_readers_and_exclusive_for_writers(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    with reading([path]), reading([path], 0.1):
        with pytest.raises(StoreError) as raised, writing(path, 0.1):
            raise AssertionError("two at once")
        assert (raised.value.code, str(os.getpid()) in raised.value.message) == ("E610", True)
    with writing(path, 0.1):
        with pytest.raises(StoreError), reading([path], 0.1):
            raise AssertionError("two at once")
        with pytest.raises(StoreError), writing(path, 0.1):
            raise AssertionError("two at once")
    with writing(path, 0.1):
        pass


def test_lock_is_exclusive_between_threads(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    inside = 0
    most = 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(5):
            with writing(path):
                inside += 1
                most = max(most, inside)
                time.sleep(0.002)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


@pytest.mark.process
def test_lock_failure_names_another_program_with_the_file_open(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with duckdb.connect() as connection:
            with pytest.raises(StoreError, match=f"`x.duckdb` is in use by process {holder.pid}"):
                attach(connection, path, "x", read_only=True, wait_seconds=0.1)
            threading.Timer(0.3, holder.kill).start()
            attach(connection, path, "x", read_only=False, wait_seconds=10)
    finally:
        holder.kill()
        holder.communicate()


@pytest.mark.process
def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    code = (
        "import os, sys; from pathlib import Path; from engine.duck.files import writing\n"
        "with writing(Path(sys.argv[1])): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == -9
    with writing(path, 0.1):
        pass


def test_file_that_is_no_database_is_not_reported_as_busy(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    path.write_text("this is no database, but long enough to look at" * 200)
    with duckdb.connect() as connection, pytest.raises(duckdb.Error, match="not a valid DuckDB"):
        attach(connection, path, "x", read_only=True, wait_seconds=0.1)
