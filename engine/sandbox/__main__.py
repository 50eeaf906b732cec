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
    """Says what is wrong in the words of the other verbs, and ends with their exit code."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"error: {message}\n  = help: `{self.prog} --help` lists what there is\n")


def parser() -> argparse.ArgumentParser:
    """The command line, as `weir sandbox` takes it too."""
    made = _Parser(
        prog="weir sandbox",
        description="A stateful Stripe on loopback with the seeded business of a small company. "
        "Its control API is below /_sandbox/.",
    )
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback)")
    made.add_argument(
        "--port",
        type=_number(int, 65_535),
        default=0,
        metavar="N",
        help="port to listen on; 0 takes a free one (default)",
    )
    made.add_argument("--size", choices=list(SIZES), default="small", help="how big the business is (default: small)")
    made.add_argument(
        "--customers", type=_number(int, _MOST_CUSTOMERS), metavar="N", help="number of customers, instead of a size"
    )
    made.add_argument(
        "--accounts", type=_number(int, _MOST_ACCOUNTS), default=0, metavar="N", help="number of connected accounts"
    )
    made.add_argument(
        "--seed", type=int, default=1, metavar="N", help="the same seed makes the same objects (default: 1)"
    )
    made.add_argument(
        "--now", type=_moment, default=ANCHOR, metavar="TIME", help="where the clock starts, RFC 3339 or Unix seconds"
    )
    made.add_argument("--frozen", action="store_true", help="the clock stands still until it is told to move")
    about_key = f"accept this key (default: {SANDBOX_KEY}); with permissions it is restricted to them"
    made.add_argument("--key", type=_grant, action="append", default=[], metavar="KEY[=PERMISSION,…]", help=about_key)
    rate = _number(float, 1_000_000)
    made.add_argument("--rate", type=rate, default=0, metavar="N", help="requests per second in total; 0 is no limit")
    made.add_argument("--rate-per-endpoint", type=rate, default=0, metavar="N", help="requests per second and endpoint")
    made.add_argument(
        "--in-flight",
        type=_number(int, 1_000_000),
        default=0,
        metavar="N",
        help="requests at the same time; 0 is no limit",
    )
    made.add_argument(
        "--event-api-version", metavar="VERSION", help="render the objects in events at another API version"
    )
    made.add_argument(
        "--event-delay", type=_number(int, 86_400), default=0, metavar="S", help="seconds until an event is visible"
    )
    made.add_argument(
        "--search-lag", type=_number(int, 86_400), default=0, metavar="S", help="seconds until search sees a write"
    )
    made.add_argument("--pretty", action="store_true", help="indent the JSON, as Stripe does")
    made.add_argument("--no-control", action="store_true", help="do not serve /_sandbox/")
    made.add_argument(
        "--state", metavar="FOLDER", help="keep the world in this folder and go on with it; without, it is in memory"
    )
    made.add_argument("--until-stdin-closes", action="store_true", help="stop when standard input ends")
    return made


def options_of(arguments: argparse.Namespace) -> SandboxOptions:
    """The options that a command line gives."""
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
    """Reads a number from 0 to `most`."""

    def read(text: str) -> _Number:
        try:
            number = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
        if not 0 <= number <= most:
            raise argparse.ArgumentTypeError(f"expected 0 to {most:,}, found {text}")
        return number

    return read


def _grant(text: str) -> KeyGrant:
    key, restricted, permissions = text.partition("=")
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise argparse.ArgumentTypeError("a key is one word of ASCII characters")
    rights = frozenset(filter(None, permissions.split(","))) if restricted else None
    strange = sorted(right for right in rights or () if _PERMISSION.fullmatch(right) is None)
    if strange:
        raise argparse.ArgumentTypeError(f"{strange[0]!r} is no permission such as rak_customer_read")
    return KeyGrant(key, rights, livemode="_live_" in key)


def _moment(text: str) -> int:
    if text.isdigit():
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is neither RFC 3339 nor Unix seconds") from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until stopped. 3 if the address cannot be bound or the state cannot be used, 5 if another one holds it."""
    options = options_of(parser().parse_args(arguments))
    try:
        lock = _held(options)
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


def _held(options: SandboxOptions) -> StateLock | dict[str, Any] | None:
    """The folder of the state, or where it is served already; None for a world in memory."""
    if options.state is None:
        return None
    from .state import StateLockedError, acquire, acquire_or_join

    folder = Path(options.state)
    try:
        return acquire_or_join(folder) if options.until_stdin_closes else acquire(folder)
    except StateLockedError as error:
        raise _RefusedError(BUSY, str(error)) from None
    except OSError as error:
        raise _RefusedError(UNUSABLE, f"the state cannot be kept in {folder}: {error.strerror}") from None


def _stand_by(running: dict[str, Any]) -> None:
    """Tell where the world is served, and be its user until standard input ends."""
    sys.stdout.write(json.dumps({**running, "shared": True}) + "\n")
    sys.stdout.flush()
    while sys.stdin.buffer.read(4096):
        pass


def _serve(options: SandboxOptions, lock: StateLock | None) -> None:
    from .serving.server import serve  # the web framework only loads when something is served
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
