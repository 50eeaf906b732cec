"""The writes of the API: handlers by kind of object, and a generic one for the rest."""

from __future__ import annotations

from .dispatch import perform

__all__ = ["perform"]
