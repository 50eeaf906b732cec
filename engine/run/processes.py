"""Which process it is that holds something, in words that another process can check."""

from __future__ import annotations

import os
import re
import socket
from datetime import datetime
from pathlib import Path
from typing import Final

_OWNER: Final = re.compile(r"pid (?P<pid>\d+)(?:/(?P<born>\S+))? on (?P<host>\S+), since (?P<since>.*) UTC")
_PROCESSES: Final = Path("/proc")
_BOOT: Final = _PROCESSES / "sys/kernel/random/boot_id"
_NAMESPACE: Final = _PROCESSES / "self/ns/pid"
_STATE, _START = 0, 19
"""Fields of `/proc/PID/stat` behind the name: the process's state, and when it began, in ticks since the boot."""


def describe_process(since: datetime) -> str:
    """This process in words: pid, when it was born, host and time; different for each call at another instant.

    Process ids come back: soon on a busy machine, and in a container at each start. So the birth belongs to it.
    """
    pid = os.getpid()
    born = _born(pid)
    return f"pid {pid}{f'/{born}' if born else ''} on {_host()}, since {since:%Y-%m-%d %H:%M:%S.%f} UTC"


def in_words(owner: str) -> str:
    """What `describe_process` said, for people: without birth, namespace and the fractions of a second."""
    match = _OWNER.fullmatch(owner)
    if match is None:
        return owner
    return f"pid {match['pid']} on {match['host'].partition('/')[0]}, since {match['since'].partition('.')[0]} UTC"


def process_is_alive(owner: str) -> bool:
    """Whether the process that `describe_process` described may still live: only of our own host can one know."""
    match = _OWNER.fullmatch(owner)
    if match is None or match["host"] != _host():
        return True
    pid = int(match["pid"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is another user's
        pass
    born = _born(pid)
    # Where one of the two is not known, the process id is all there is.
    return match["born"] is None or born is None or match["born"] == born


def _born(pid: int) -> str | None:
    """When a process began: the boot, and the ticks since. None where the system does not tell (other than Linux)."""
    try:
        fields = (_PROCESSES / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        boot = _BOOT.read_text()[:8]
    except OSError:
        return None
    if fields[_STATE] in "ZX":  # it has ended, and only its parent has not asked yet
        return "dead"
    return f"{boot}-{fields[_START]}"


def _host() -> str:
    """The host's name, with the namespace of its process ids: containers may share a name."""
    try:
        return f"{socket.gethostname()}/{_NAMESPACE.readlink().name.strip('pid:[]')}"
    except OSError:
        return socket.gethostname()
