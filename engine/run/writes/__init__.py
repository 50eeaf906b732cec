"""Writing to a provider: what is settled first, what bounds it, and how it is sent."""

from .rows import write_rows

__all__ = ["write_rows"]
