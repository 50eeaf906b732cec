"""Findings: codes, places, diagnostics, and the collector that gathers them."""

from .codes import CODES, Code, Severity
from .collector import Collector
from .diagnostic import Diagnostic, Fix, Label
from .place import Place, Route
from .suggest import closest, did_you_mean

__all__ = [
    "CODES",
    "Code",
    "Collector",
    "Diagnostic",
    "Fix",
    "Label",
    "Place",
    "Route",
    "Severity",
    "closest",
    "did_you_mean",
]
