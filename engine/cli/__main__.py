"""`python -m engine.cli`: the same as `weir`."""

from . import main

main()
