"""Where spreadable work runs."""

from .inline import InlineExecutor

__all__ = ["InlineExecutor"]
