"""Writing to Stripe: what can be written (known offline), and the writer that sends it."""

from .entities import StripeTargets, find_entity
from .functions import find_function, named_writes

__all__ = ["StripeTargets", "find_entity", "find_function", "named_writes"]
