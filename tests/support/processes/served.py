"""`weir serve` as a process: started, asked, killed, and what it has logged."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.support.processes.command import bare_environment, weir
from tests.support.processes.forks import Process, fork

WAIT_SECONDS = 60.0


@dataclass
class Server:
    """A server of the project in `folder`, on a port that was free. What it logs goes to files, one a start."""

    folder: Path
    token: str = ""
    options: tuple[str, ...] = ()
    name: str = "server"
    process: Process | None = None
    port: int = 0
    starts: list[tuple[Path, Path]] = field(default_factory=list)

    def start(self, *, until_it_listens: bool = True) -> Server:
        """Start it, and wait until it listens."""
        logs = self.folder / "logs"
        logs.mkdir(exist_ok=True)
        out, err = (logs / f"{self.name}-{len(self.starts)}.{kind}" for kind in ("out", "err"))
        self.starts.append((out, err))
        arguments = ("serve", "--port", "0", "--no-isolated", *self.options)
        with out.open("wb") as told, err.open("wb") as logged:
            self.process = fork(
                self.folder, arguments, bare_environment(), stdout=told.fileno(), stderr=logged.fileno()
            )
        if until_it_listens:
            line = wait_for(lambda: out.read_text().partition("\n")[0], self)
            self.port = int(line.split()[2].rpartition(":")[2])
        return self

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """(status, JSON) of an answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        raw = answer.read()
        connection.close()
        return answer.status, json.loads(raw)

    def kill(self) -> None:
        """As a machine that loses power."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Ask it to stop; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(WAIT_SECONDS)

    def log(self, event: str = "", start: int | None = None) -> list[Mapping[str, Any]]:
        """What it has logged, of one event or of all."""
        chosen = self.starts if start is None else [self.starts[start]]
        lines = [line for _, err in chosen for line in err.read_text().splitlines() if line.endswith("}")]
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [each for each in found if not event or each["event"] == event]

    def wait_log(self, event: str, where: Callable[[Mapping[str, Any]], bool] = lambda _: True) -> Mapping[str, Any]:
        """The first such line, of the newest start."""
        return wait_for(lambda: next((each for each in self.log(event, start=-1) if where(each)), None), self)


def new_token(folder: Path, *scopes: str) -> str:
    """A token of the project in `folder`."""
    options = [part for scope in scopes or ("read", "run", "admin") for part in ("--scope", scope)]
    return weir(folder, "token", "new", f"t-{time.monotonic_ns()}", *options).succeeded().out.strip()


def wait_for(look: Callable[[], Any], server: Server | None = None, seconds: float = WAIT_SECONDS) -> Any:
    """What `look` gives when it gives something. A server that has ended meanwhile is shown."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        if server is not None and not server.is_alive:
            break
        time.sleep(0.02)
    raise AssertionError(f"it did not happen\n{server.starts[-1][1].read_text()[-4000:] if server else ''}")
