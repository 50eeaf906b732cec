"""The entry point: runs the verb and turns what went wrong into words on stderr and an exit code."""

from __future__ import annotations

import atexit
import errno
import gc
import os
import sys
from contextlib import suppress
from typing import Final, NoReturn

import click

from .group import weir
from .streams import forget_stdout

_GC_THRESHOLDS: Final = (200_000, 20, 50)
"""Python looks for cycles of garbage seldom: importing and reading pages make many objects and next to no cycles."""


def main() -> NoReturn:
    """Run the command line. Always ends in SystemExit with a documented exit code."""
    gc.set_threshold(*_GC_THRESHOLDS)
    code = _run()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        forget_stdout()
    except OSError as error:
        code = _system(error)
    raise SystemExit(code)


def process() -> NoReturn:
    """As `main`, for a process that does nothing else: it ends here, with what was asked to be done at its end.

    Left to itself, Python would take every module and object apart before that, which takes longer than `--help`.
    """
    code: object = 1
    try:
        main()
    except SystemExit as end:
        code = end.code
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code if isinstance(code, int) else 1)


def _run() -> int:
    stdout = sys.stdout
    try:
        result = weir.main(prog_name="weir", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 64
    except click.UsageError as error:
        return _usage(error)
    except click.ClickException as error:
        _say(error.format_message(), None)
        return 64
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except SystemExit:
        if sys.stdout is stdout:
            raise
        forget_stdout()
        return 0  # click swaps the streams when the reader of stdout has gone, which is no failure
    except OSError as error:
        return _system(error)
    except Exception as error:  # noqa: BLE001 - the last line of defence: people get words, not a traceback
        return _unexpected(error)
    return int(result) if isinstance(result, int) else 0


def _usage(error: click.UsageError) -> int:
    if error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
    hint = f"`{error.ctx.command_path} --help` lists what there is" if error.ctx is not None else None
    _say(" ".join(error.format_message().split()), hint)
    return 64


def _unexpected(error: Exception) -> int:
    from engine.app.errors import RefusalError

    if isinstance(error, RefusalError):
        _say(error.message, error.hint)
        return int(error.code)
    if os.environ.get("WEIR_DEBUG"):
        raise error
    from engine.app.logging import redact

    _say(f"unexpected {type(error).__name__}: {redact(str(error))}", "WEIR_DEBUG=1 shows where it comes from")
    return 1


def _system(error: OSError) -> int:
    """The machine refuses: a disk is full, a folder is read-only, a file belongs to somebody else."""
    if os.environ.get("WEIR_DEBUG"):
        raise error
    if error.filename is None and error.errno == errno.ENOSPC:
        forget_stdout()
    where = f"`{os.fsdecode(error.filename)}`: " if isinstance(error.filename, str | bytes) else ""
    _say(f"{where}{(error.strerror or str(error)).lower()}", None)
    return 3


def _say(message: str, hint: str | None) -> None:
    text = message[:1].lower() + message[1:].rstrip(".") if message[:2].istitle() else message.rstrip(".")
    click.echo(f"{click.style('error', fg='red', bold=True)}: {text}", err=True)
    if hint:
        click.echo(f"  {click.style('=', fg='blue')} help: {hint}", err=True)
