"""A stateful, simulated Stripe on loopback. Definitions that work against it work against Stripe.

`serve(SandboxOptions(…))` serves it and blocks; `python -m engine.sandbox --port 0` is the same as a process.
`make_app` returns the ASGI application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import ANCHOR, SIZES, KeyGrant, RateLimits, SandboxOptions

if TYPE_CHECKING:
    from .serving.app import make_app
    from .serving.server import serve

__all__ = ["ANCHOR", "SIZES", "KeyGrant", "RateLimits", "SandboxOptions", "make_app", "serve"]


def __getattr__(name: str) -> Any:
    """Import the web framework only when a sandbox is served."""
    match name:
        case "make_app":
            from .serving.app import make_app

            return make_app
        case "serve":
            from .serving.server import serve

            return serve
        case _:
            raise AttributeError(name)
