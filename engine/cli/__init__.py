"""The command `weir`: one verb a file, imported when it is called."""

from .main import main, process

__all__ = ["main", "process"]
