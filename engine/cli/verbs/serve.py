"""`weir serve`: run by schedule and by request, and reload what is edited."""

from __future__ import annotations

import gc
import ipaddress
import signal
import ssl
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

import click

from engine.app.errors import Exit, RefusalError
from engine.app.logging import Redactor, configure_logging, log
from engine.app.serving.engine import Engine, EngineOptions
from engine.cli.session import Session, pass_session, project_option

if TYPE_CHECKING:
    from engine.api import Listening

PORT = 8420
_LOOK_SECONDS: Final = 0.2
_GC_THRESHOLDS: Final = (10_000, 10, 10)
"""A command looks for cycles of garbage next to never, since it ends soon. What lives long would keep them for long."""
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=PORT, show_default=True, help="0: any that is free.")
@click.option("--tls-cert", "certificate", type=_FILE, help="The certificate, with those that it needs, as PEM.")
@click.option("--tls-key", "key", type=_FILE, help="Its key, as PEM.")
@click.option("--insecure", is_flag=True, help="Listen beyond this machine without TLS: something else encrypts.")
@click.option("--poll", is_flag=True, help="Look for edits every two seconds, where the file system tells of none.")
@click.option("--schedules/--no-schedules", default=True, help="Whether interfaces run by their schedule.")
@click.option(
    "--drain", type=click.FloatRange(0, 86_400), default=30, show_default=True, help="Seconds that runs get to end."
)
@click.option("--isolated/--no-isolated", default=True, show_default=True, help="Each SQL box in a child process.")
@project_option
@pass_session
def command(
    session: Session,
    host: str,
    port: int,
    certificate: Path | None,
    key: Path | None,
    insecure: bool,
    poll: bool,
    schedules: bool,
    drain: float,
    isolated: bool,
) -> None:
    """Run interfaces by their schedule and by request, on definitions that reload at every save.

    What is broken stays as it was. SIGTERM or Ctrl-C: nothing more begins, runs get `--drain` seconds to end and are
    then stopped between two commits; a second one stops them at once. Logs are JSON lines on stderr.
    """
    if (certificate is None) != (key is None):
        raise click.UsageError("`--tls-cert` and `--tls-key` go together")
    if certificate is None and not insecure and not _is_loopback(host):
        raise click.UsageError(
            f"`--host {host}` is reached from other machines: give `--tls-cert` and `--tls-key`, or say `--insecure`"
        )
    from engine.api import ApiOptions, listen, make_api

    gc.set_threshold(*_GC_THRESHOLDS)
    _log_as_json()
    signals = _Signals()
    signals.listen()
    options = EngineOptions(session.environment, isolated=isolated, polling=poll, schedules=schedules, drain=drain)
    with Engine(session.workspace, options) as engine:
        try:
            listening = listen(make_api(engine, ApiOptions()), host, port, certificate, key)
        except ssl.SSLError as error:
            raise RefusalError(Exit.ENVIRONMENT, f"the certificate cannot be used: {error.reason or error}") from None
        except (OSError, OverflowError) as error:
            hint = "another process listens there? `--port` names another one"
            raise RefusalError(Exit.ENVIRONMENT, f"cannot listen on {host}:{port}: {error}", hint) from None
        try:
            _serve(engine, listening, signals)
        finally:
            listening.close()
    log("server has stopped")


def _serve(engine: Engine, listening: Listening, signals: _Signals) -> None:
    signals.again = engine.stop_runs
    live = engine.live
    log("server listens", url=listening.url, generation=live.number if live is not None else None)
    told = [f"listening on {listening.url} (Ctrl-C stops)"]
    if not any(each.revoked is None for each in engine.store.tokens()):
        told.append("no tokens yet: `weir token new NAME --scope read --scope run` makes one")
    click.echo("\n".join(told))
    sys.stdout.flush()
    # Looked at again and again: the system may give a signal to another thread, and that does not wake this one.
    while not signals.stop.wait(_LOOK_SECONDS):
        pass
    engine.drain()


@dataclass
class _Signals:
    """The first signal sets `stop`; each one after it calls `again`."""

    stop: threading.Event = field(default_factory=threading.Event)
    again: Callable[[], None] = lambda: None

    def listen(self) -> None:
        """Hear from now on. What is ignored (by `nohup`) stays ignored."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._heard)

    def _heard(self, _number: int, _frame: FrameType | None) -> None:
        if self.stop.is_set():
            self.again()
        self.stop.set()


def _log_as_json() -> None:
    """Logs of level info, unless `--log` has asked for others."""
    import structlog

    if not structlog.is_configured():
        configure_logging("info", Redactor(), as_json=True)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
