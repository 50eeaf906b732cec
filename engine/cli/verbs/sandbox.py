"""`weir sandbox`: a simulated provider on this machine."""

from __future__ import annotations

import os
import sys

import click

from engine.connector.installed import DEFAULT_CONNECTOR, secret_policy


@click.command(
    "sandbox",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Serve a stateful, simulated provider on loopback until interrupted (see `weir sandbox --help`)."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {name: value for name, value in os.environ.items() if not _is_of_provider(name, value)}
    program = [sys.executable, "-P", "-m", "engine.sandbox", *arguments]
    os.execve(sys.executable, program, kept)  # noqa: S606 - our own module, no shell


def _is_of_provider(name: str, value: str) -> bool:
    """Whether a variable may lead to the real provider: by its name, or by a key in its value."""
    return DEFAULT_CONNECTOR in name.casefold() or secret_policy().holds(value)
