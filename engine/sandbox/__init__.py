"""A stateful Stripe on loopback: the same definitions work against it as against Stripe.

Served by `serve(SandboxOptions(…))`, which blocks, or as a process: `python -m engine.sandbox --port 0`.
`make_app` gives the ASGI application.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .options import ANCHOR, SIZES, KeyGrant, RateLimits, SandboxOptions

if TYPE_CHECKING:
    from .serving.app import make_app
    from .serving.server import serve

__all__ = ["ANCHOR", "SIZES", "KeyGrant", "RateLimits", "SandboxOptions", "make_app", "serve"]


def __getattr__(name: str) -> Any:
    """Load the web framework when something is served, not when the options are looked at."""
    match name:
        case "make_app":
            from .serving.app import make_app

            return make_app
        case "serve":
            from .serving.server import serve

            return serve
        case _:
            raise AttributeError(name)
