"""The client for Stripe's API. The one place that imports the SDK and aiohttp."""

from .allowance import Allowance, allowance
from .buckets import Buckets, FileBuckets, MemoryBuckets
from .client import Answer, Client, Counts, Timing, WriteFailedError
from .errors import Scrubber
from .limiter import AdaptiveLimiter, Limiter
from .retry import RetryPolicy
from .settings import API, Key, Mode, Settings, open_key
from .sharing import shared_buckets

__all__ = [
    "API",
    "AdaptiveLimiter",
    "Allowance",
    "Answer",
    "Buckets",
    "Client",
    "Counts",
    "FileBuckets",
    "Key",
    "Limiter",
    "MemoryBuckets",
    "Mode",
    "RetryPolicy",
    "Scrubber",
    "Settings",
    "Timing",
    "WriteFailedError",
    "allowance",
    "open_key",
    "shared_buckets",
]
