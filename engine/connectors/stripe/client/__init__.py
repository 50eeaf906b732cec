"""The client for Stripe's API. The one place that imports the SDK and aiohttp."""

from .client import Answer, Client, Counts, Timing
from .errors import Scrubber
from .limiter import AdaptiveLimiter, Limiter
from .retry import RetryPolicy
from .settings import API, Key, Mode, Settings, open_key

__all__ = [
    "API",
    "AdaptiveLimiter",
    "Answer",
    "Client",
    "Counts",
    "Key",
    "Limiter",
    "Mode",
    "RetryPolicy",
    "Scrubber",
    "Settings",
    "Timing",
    "open_key",
]
