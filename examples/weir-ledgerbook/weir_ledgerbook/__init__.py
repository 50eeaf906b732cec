"""Ledgerbook, an invented bookkeeping service, as a connector of Weir. Importing this reaches no network."""

from .connector import CONNECTOR, LedgerbookConnector

__all__ = ["CONNECTOR", "LedgerbookConnector"]
