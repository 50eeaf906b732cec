"""The business that a sandbox starts with: seeded, the same every time."""

from .account import seed_account
from .business import seed_business

__all__ = ["seed_account", "seed_business"]
