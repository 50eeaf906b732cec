"""Writing to a provider: what is settled first, what bounds it, and how it is sent."""

from .rows import write_rows
from .settle import sent_again_until

__all__ = ["sent_again_until", "write_rows"]
