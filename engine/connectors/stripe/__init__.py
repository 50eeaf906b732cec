"""The Stripe connector. Importing this package reaches neither the SDK nor the network."""

from .connector import CONNECTOR, StripeConnector

__all__ = ["CONNECTOR", "StripeConnector"]
