"""Every shipped binder keeps the contract of binders."""

from __future__ import annotations

from engine.duck import DuckBinder
from engine.graph import Binder
from engine.testing.binder_suite import BinderSuite

BINDER = DuckBinder()


class TestDuck(BinderSuite):
    def make(self) -> Binder:
        return BINDER
