"""The seeded business that a sandbox starts with. Deterministic."""

from .account import seed_account
from .business import seed_business

__all__ = ["seed_account", "seed_business"]
