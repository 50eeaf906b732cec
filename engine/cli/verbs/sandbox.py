"""`weir sandbox`: a simulated Stripe on this machine."""

from __future__ import annotations

import os
import sys

import click


@click.command(
    "sandbox",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Serve a stateful, simulated Stripe on loopback until interrupted (see `weir sandbox --help`)."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {name: value for name, value in os.environ.items() if "STRIPE" not in name.upper()}
    program = [sys.executable, "-P", "-m", "engine.sandbox", *arguments]
    os.execve(sys.executable, program, kept)  # noqa: S606 - our own module, no shell
