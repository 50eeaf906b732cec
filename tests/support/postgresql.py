"""A PostgreSQL server for tests: a separate process on loopback with its own folder, deleted at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import pytest

REQUIRED = "WEIR_TEST_POSTGRESQL"
"""Set where a missing server is a failure, as in CI."""
_USER = "postgres"


def programs() -> Path | None:
    """The folder of the server's programs; None if it is not installed."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).parent
    return next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)


@contextmanager
def server() -> Iterator[str]:
    """The address of a running server, without a database name. Skips the test if none can be started."""
    binaries = programs()
    if binaries is None:
        reason = "PostgreSQL is not installed (Debian: apt install postgresql)"
        pytest.fail(reason) if os.environ.get(REQUIRED) else pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="weir-pg-", dir="/tmp"))
    as_other = ["runuser", "-u", _USER, "--"] if os.geteuid() == 0 else []
    if as_other:
        os.chown(folder, pwd.getpwnam(_USER).pw_uid, -1)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    data = folder / "data"

    def run(program: str, *arguments: str) -> None:
        command = [*as_other, str(binaries / program), *arguments]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, timeout=60)

    try:
        run("initdb", "-D", str(data), "-U", _USER, "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        run("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://{_USER}@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def database(address: str, directory: Path) -> str:
    """The address of the database of a folder: always the same for one folder, created on first use."""
    import psycopg

    name = f"weir_{blake2b(str(directory).encode(), digest_size=8).hexdigest()}"
    plain = address.replace("+psycopg", "")
    with psycopg.connect(f"{plain}/postgres", autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if known is None:
            connection.execute(f'CREATE DATABASE "{name}"')
    return f"{address}/{name}"
