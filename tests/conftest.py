"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

from tests.effort import TIMES

# A change is judged by the same examples each time; `make test-long` looks for new ones.
settings.register_profile("same", derandomize=True, database=None, deadline=None)
settings.register_profile("long", print_blob=True, deadline=None)
settings.load_profile("long" if TIMES else "same")
