"""`python -m engine.cli`: the same as `weir`."""

from .main import process

process()
