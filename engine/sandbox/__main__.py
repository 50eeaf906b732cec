"""`python -m engine.sandbox`."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from engine.connector.sandbox import SANDBOX_KEY

from .options import ANCHOR, SIZES, KeyGrant, RateLimits, SandboxOptions

if TYPE_CHECKING:
    from .state import StateLock

USAGE_ERROR: Final = 64
UNUSABLE: Final = 3
BUSY: Final = 5
_MOST_CUSTOMERS: Final = 100_000
_MOST_ACCOUNTS: Final = 1_000
_PERMISSION: Final = re.compile(r"rak_[a-z0-9_]+_(read|write)")
_Number = TypeVar("_Number", int, float)


class _Parser(argparse.ArgumentParser):
    """Reports errors in the form of the other verbs, with their exit code."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"error: {message}\n  = help: `{self.prog} --help` lists the options\n")


def parser() -> argparse.ArgumentParser:
    """The command line of this module and of `weir sandbox`."""
    made = _Parser(
        prog="weir sandbox",
        description="A stateful, simulated Stripe on loopback with the seeded business of a small company. "
        "The control API is at /_sandbox/.",
    )
    _add_serving(made)
    _add_business(made)
    _add_behaviour(made)
    return made


def _add_serving(made: argparse.ArgumentParser) -> None:
    port = _number(int, 65_535)
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback)")
    made.add_argument("--port", type=port, default=0, metavar="N", help="port to listen on (default: 0, a free port)")
    about_state = "store the state in this folder and resume from it (default: in memory)"
    made.add_argument("--state", metavar="FOLDER", help=about_state)
    about_key = f"accept this key (default: {SANDBOX_KEY}); permissions make it a restricted key"
    made.add_argument("--key", type=_grant, action="append", default=[], metavar="KEY[=PERMISSION,…]", help=about_key)
    made.add_argument("--pretty", action="store_true", help="indent the JSON, as Stripe does")
    made.add_argument("--no-control", action="store_true", help="do not serve /_sandbox/")
    made.add_argument("--until-stdin-closes", action="store_true", help="stop when standard input closes")


def _add_business(made: argparse.ArgumentParser) -> None:
    customers, accounts = _number(int, _MOST_CUSTOMERS), _number(int, _MOST_ACCOUNTS)
    about_size = "size of the seeded business (default: small)"
    about_now = "start of the clock, RFC 3339 or Unix seconds"
    made.add_argument("--size", choices=list(SIZES), default="small", help=about_size)
    made.add_argument("--customers", type=customers, metavar="N", help="number of customers; overrides --size")
    made.add_argument("--accounts", type=accounts, default=0, metavar="N", help="number of connected accounts")
    made.add_argument("--seed", type=int, default=1, metavar="N", help="seed of the objects (default: 1)")
    made.add_argument("--now", type=_timestamp, default=ANCHOR, metavar="TIME", help=about_now)
    made.add_argument("--frozen", action="store_true", help="stop the clock; the control API can move it")


def _add_behaviour(made: argparse.ArgumentParser) -> None:
    rate, requests, delay = _number(float, 1_000_000), _number(int, 1_000_000), _number(int, 86_400)
    about_endpoint = "requests per second and endpoint (0: no limit)"
    about_lag = "delay of writes in search results in seconds"
    made.add_argument("--rate", type=rate, default=0, metavar="N", help="requests per second in total (0: no limit)")
    made.add_argument("--rate-per-endpoint", type=rate, default=0, metavar="N", help=about_endpoint)
    made.add_argument("--in-flight", type=requests, default=0, metavar="N", help="concurrent requests (0: no limit)")
    made.add_argument("--event-api-version", metavar="VERSION", help="API version of the objects in events")
    made.add_argument("--event-delay", type=delay, default=0, metavar="S", help="delay of events in seconds")
    made.add_argument("--search-lag", type=delay, default=0, metavar="S", help=about_lag)


def options_of(arguments: argparse.Namespace) -> SandboxOptions:
    """The options of a parsed command line."""
    return SandboxOptions(
        host=arguments.host,
        port=arguments.port,
        size=arguments.size,
        customers=arguments.customers,
        accounts=arguments.accounts,
        seed=arguments.seed,
        now=arguments.now,
        frozen=arguments.frozen,
        keys=tuple(arguments.key) or (KeyGrant(SANDBOX_KEY),),
        limits=RateLimits(arguments.rate, arguments.rate_per_endpoint, arguments.in_flight),
        event_api_version=arguments.event_api_version,
        event_delay=arguments.event_delay,
        search_lag=arguments.search_lag,
        pretty=arguments.pretty,
        control=not arguments.no_control,
        until_stdin_closes=arguments.until_stdin_closes,
        state=arguments.state,
    )


def _number(kind: Callable[[str], _Number], most: int) -> Callable[[str], _Number]:
    """A parser of numbers from 0 to `most`."""

    def read(text: str) -> _Number:
        try:
            number = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not 0 <= number <= most:
            raise argparse.ArgumentTypeError(f"expected 0 to {most:,}, found {text}")
        return number

    return read


def _grant(text: str) -> KeyGrant:
    key, restricted, permissions = text.partition("=")
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise argparse.ArgumentTypeError("a key consists of ASCII characters without spaces")
    rights = frozenset(filter(None, permissions.split(","))) if restricted else None
    strange = sorted(right for right in rights or () if _PERMISSION.fullmatch(right) is None)
    if strange:
        raise argparse.ArgumentTypeError(f"{strange[0]!r} is not a permission such as rak_customer_read")
    return KeyGrant(key, rights, livemode="_live_" in key)


def _timestamp(text: str) -> int:
    if text.isdigit():
        return int(text)
    try:
        timestamp = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is neither RFC 3339 nor Unix seconds") from None
    return int((timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)).timestamp())


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped. Exit code 3 if the address or the state is unusable, 5 if another process uses the state."""
    options = options_of(parser().parse_args(arguments))
    try:
        lock = _locked(options)
        if isinstance(lock, dict):
            _stand_by(lock)
        else:
            _serve(options, lock)
    except KeyboardInterrupt:
        return 130
    except _RefusedError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.code
    return 0


class _RefusedError(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _locked(options: SandboxOptions) -> StateLock | dict[str, Any] | None:
    """The lock on the state, or what its server announced; None for a sandbox in memory."""
    if options.state is None:
        return None
    from .state import StateLockedError, acquire, acquire_or_join

    folder = Path(options.state)
    try:
        return acquire_or_join(folder) if options.until_stdin_closes else acquire(folder)
    except StateLockedError as error:
        raise _RefusedError(BUSY, str(error)) from None
    except OSError as error:
        raise _RefusedError(UNUSABLE, f"the state in {folder} cannot be used: {error.strerror}") from None


def _stand_by(running: dict[str, Any]) -> None:
    """Report the running server and count as its user until standard input closes."""
    sys.stdout.write(json.dumps({**running, "shared": True}) + "\n")
    sys.stdout.flush()
    while sys.stdin.buffer.read(4096):
        pass


def _serve(options: SandboxOptions, lock: StateLock | None) -> None:
    from .serving.server import serve  # imports the web framework only to serve
    from .state import StateError

    try:
        serve(options, lock)
    except StateError as error:
        raise _RefusedError(UNUSABLE, str(error)) from None
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (while ")[0].lower()
        raise _RefusedError(UNUSABLE, f"cannot listen on {options.host}:{options.port}: {reason}") from None


if __name__ == "__main__":
    raise SystemExit(main())
