"""The embedded sandbox: a child process that lives exactly as long as the verb that needs it."""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.connector.sandbox import SANDBOX_KEY

from ..errors import Exit, RefusalError
from ..logging import log

START_SECONDS = 30.0
STOP_SECONDS = 5.0
_KEPT = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV", "SYSTEMROOT")


@dataclass(frozen=True, slots=True)
class SandboxAddress:
    """Where the sandbox answers, and the key that it takes. The key opens nothing else."""

    url: str
    key: str


@contextmanager
def embedded_sandbox(
    environment: Mapping[str, str], state: Path | None = None, arguments: Sequence[str] = ()
) -> Iterator[SandboxAddress]:
    """Start a sandbox on a free port and stop it at the end.

    It ends by itself when our end of its stdin closes, also when we are killed. It gets none of our environment
    but what a Python process needs, so no secret either. With a `state` folder it goes on with the world there; where
    another process serves that world already, it is used, and stays as long as anybody uses it.
    """
    kept = ["--state", str(state)] if state is not None else []
    command = [sys.executable, "-P", "-m", "engine.sandbox", "--port", "0", "--until-stdin-closes", *kept, *arguments]
    child = subprocess.Popen(  # noqa: S603 - our own module, no shell
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=minimal_environment(environment),
        cwd="/",  # a module in the project's folder must never be taken for one of ours or of the standard library
        start_new_session=True,  # an interrupt at the terminal is for the run, which still needs the sandbox to stop
    )
    try:
        ready = json.loads(_line(child, time.monotonic() + START_SECONDS))
        address = SandboxAddress(str(ready["url"]), SANDBOX_KEY)
        log("sandbox started", url=address.url, pid=child.pid)
        yield address
    finally:
        _stop(child)


def minimal_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What the child needs of our environment. Folders of modules count only where they are named whole."""
    kept = {name: environment[name] for name in _KEPT if name in environment}
    modules = [each for each in kept.pop("PYTHONPATH", "").split(os.pathsep) if Path(each).is_absolute()]
    return kept | ({"PYTHONPATH": os.pathsep.join(modules)} if modules else {})


def _line(child: subprocess.Popen[bytes], deadline: float) -> bytes:
    """The next line of JSON that the sandbox prints; RefusalError when there is none by then."""
    if child.stdout is None:
        raise AssertionError("the child's stdout is a pipe")
    descriptor = child.stdout.fileno()
    os.set_blocking(descriptor, False)
    written = b""
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while b"\n" not in written:
            if not selector.select(max(0.0, deadline - time.monotonic())):
                raise RefusalError(Exit.ENVIRONMENT, f"the sandbox did not start within {START_SECONDS:.0f} seconds")
            part = os.read(descriptor, 4096)
            if not part:
                raise RefusalError(Exit.ENVIRONMENT, "the sandbox ended before it was ready", "try `weir sandbox`")
            written += part
    return written.split(b"\n", 1)[0]


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Let the sandbox end. One that others use says that it stays, and is left to them."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        _line(child, time.monotonic() + STOP_SECONDS)
    except RefusalError:  # it has nothing to say: it ends, or must
        try:
            child.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    if child.stdout is not None:
        child.stdout.close()
