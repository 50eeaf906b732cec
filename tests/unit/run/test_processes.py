"""A process is identified by its ID and start time, because the system reuses IDs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.run import describe_process, in_words, process_is_alive, take_lease
from engine.testing.fakes import MemoryRunStore, RunMemory

NOW = datetime(2026, 3, 1, 10, 2, 33, tzinfo=UTC)
SAYS_WHO_IT_IS = """
import sys
from datetime import UTC, datetime
from engine.run import describe_process
print(describe_process(datetime(2026, 3, 1, 10, 2, 33, tzinfo=UTC)), flush=True)
sys.stdin.read()
"""
births = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell of births")


@contextmanager
def another() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that lives until the context ends, and its own description."""
    with subprocess.Popen(
        [sys.executable, "-c", SAYS_WHO_IT_IS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()


def with_reused_id(owner: str, pid: int) -> str:
    """The description of a process whose ID was reused by another one."""
    return re.sub(r"^pid \d+", f"pid {pid}", owner)


def test_lease_holder_is_described_in_words() -> None:
    words = "pid 7 on build-3, since 2026-03-01 10:02:33 UTC"
    assert in_words("pid 7/5f3a9c1e-8213 on build-3/4026531836, since 2026-03-01 10:02:33.406949 UTC") == words
    assert in_words("pid 7 on build-3/4026531836, since 2026-03-01 10:02:33.406949 UTC") == words
    assert in_words(describe_process(NOW)).startswith(f"pid {os.getpid()} on ")
    assert in_words(describe_process(NOW)).endswith(", since 2026-03-01 10:02:33 UTC")
    assert in_words("somebody") == "somebody"


def test_process_counts_as_dead_only_on_its_own_host() -> None:
    mine = describe_process(NOW)
    assert mine.endswith(", since 2026-03-01 10:02:33.000000 UTC")
    assert process_is_alive(mine)
    with another() as (_, owner):
        assert process_is_alive(owner)
    assert not process_is_alive(owner)
    assert process_is_alive(owner.replace(owner.split()[3], "elsewhere,"))
    assert process_is_alive("somebody")


@births
@pytest.mark.process
def test_dead_process_with_a_reused_id_counts_as_dead() -> None:
    with another() as (_, dead):
        pass
    with another() as (process, living):
        assert process_is_alive(living)
        assert not process_is_alive(with_reused_id(dead, process.pid))
        assert not process_is_alive(with_reused_id(dead, os.getpid()))


@births
@pytest.mark.process
def test_lease_of_a_dead_process_with_a_reused_id_is_free() -> None:
    with another() as (_, dead):
        pass
    store, name = MemoryRunStore(RunMemory()), "interface:a"
    store.acquire(name, with_reused_id(dead, os.getpid()), NOW, 3600)
    assert take_lease(store, name, describe_process(NOW), NOW, 3600, process_is_alive) is not None
    assert store.holder(name) == describe_process(NOW)


@births
def test_zombie_process_counts_as_dead() -> None:
    with another() as (process, owner):
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # It has ended and keeps its ID.
        assert not process_is_alive(owner)


def test_process_without_a_start_time_is_identified_by_its_id() -> None:
    without = re.sub(r"^(pid \d+)/\S+", r"\1", describe_process(NOW))
    assert process_is_alive(without)
