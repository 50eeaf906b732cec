"""The generator need not run while neither it, nor the pinned SDK, nor what it has written has changed."""

from __future__ import annotations

from tests.support.generated_digest import FILE, digest


def test_catalogue_unchanged_since_it_was_generated() -> None:
    """`test_generated_data.py` has the full check, which is long and part of CI."""
    assert FILE.read_text().strip() == digest(), "run `make generated`"
