"""The HTTP API of `weir serve`: a Starlette application over an engine, and what serves it."""

from .app import ApiOptions, make_api
from .server import Listening, listen

__all__ = ["ApiOptions", "Listening", "listen", "make_api"]
