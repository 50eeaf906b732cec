"""Findings: codes, places, diagnostics, and the collector that gathers them."""

from typing import TYPE_CHECKING

from engine.faces import lazy

if TYPE_CHECKING:
    from .codes import CODES, Code, Severity
    from .collector import Collector
    from .counts import plural
    from .diagnostic import Diagnostic, Fix, Label
    from .place import Place, Route
    from .suggest import closest, did_you_mean
else:
    __getattr__ = lazy(
        __name__,
        {
            ".codes": "CODES Code Severity",
            ".collector": "Collector",
            ".counts": "plural",
            ".diagnostic": "Diagnostic Fix Label",
            ".place": "Place Route",
            ".suggest": "closest did_you_mean",
        },
    )

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
    "plural",
]
