"""`python -m engine.web.sandbox`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from engine.connector.sandbox import SANDBOX_KEY

from .options import ANCHOR, SIZES, KeyGrant, RateLimits, SandboxOptions


def parser() -> argparse.ArgumentParser:
    """The command line, as `weir sandbox` takes it too."""
    made = argparse.ArgumentParser(
        prog="weir sandbox",
        description="A stateful Stripe on loopback with the seeded business of a small company. "
        "Its control API is below /_sandbox/.",
    )
    made.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback)")
    made.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one (default)")
    made.add_argument("--size", choices=list(SIZES), default="small", help="how big the business is (default: small)")
    made.add_argument("--customers", type=int, help="number of customers, instead of a size")
    made.add_argument("--accounts", type=int, default=0, help="number of connected accounts")
    made.add_argument("--seed", type=int, default=1, help="the same seed makes the same objects (default: 1)")
    made.add_argument("--now", type=_moment, default=ANCHOR, help="where the clock starts, RFC 3339 or Unix seconds")
    made.add_argument("--frozen", action="store_true", help="the clock stands still until it is told to move")
    about_key = f"accept this key (default: {SANDBOX_KEY}); with permissions it is restricted to them"
    made.add_argument("--key", action="append", default=[], metavar="KEY[=PERMISSION,…]", help=about_key)
    made.add_argument("--rate", type=float, default=0, metavar="N", help="requests per second in total; 0 is no limit")
    made.add_argument(
        "--rate-per-endpoint", type=float, default=0, metavar="N", help="requests per second and endpoint"
    )
    made.add_argument("--in-flight", type=int, default=0, metavar="N", help="requests at the same time; 0 is no limit")
    made.add_argument("--event-api-version", help="render the objects in events at another API version")
    made.add_argument("--search-lag", type=int, default=0, metavar="S", help="seconds until search sees a write")
    made.add_argument("--pretty", action="store_true", help="indent the JSON, as Stripe does")
    made.add_argument("--no-control", action="store_true", help="do not serve /_sandbox/")
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
        keys=tuple(map(_grant, arguments.key)) or (KeyGrant(SANDBOX_KEY),),
        limits=RateLimits(arguments.rate, arguments.rate_per_endpoint, arguments.in_flight),
        event_api_version=arguments.event_api_version,
        search_lag=arguments.search_lag,
        pretty=arguments.pretty,
        control=not arguments.no_control,
        until_stdin_closes=arguments.until_stdin_closes,
    )


def _grant(text: str) -> KeyGrant:
    key, restricted, permissions = text.partition("=")
    rights = frozenset(filter(None, permissions.split(","))) if restricted else None
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
    """Serve until stopped. 3 if the address cannot be bound."""
    options = options_of(parser().parse_args(arguments))
    from .server import serve  # the web framework only loads when something is served

    try:
        serve(options)
    except OSError as error:
        sys.stderr.write(f"cannot listen on {options.host}:{options.port}: {error.strerror}\n")
        return 3
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
