"""Renders findings, plans, runs, reviews and test results, for people and for programs."""

from typing import TYPE_CHECKING

from engine.faces import lazy

if TYPE_CHECKING:
    from .findings.explain import explain, similar_codes
    from .findings.findings import FINDING_FORMATS, FindingFormat, render_findings
    from .findings.fixes import apply_fixes
    from .findings.located import Located, locate_all, tally
    from .masking import masked
else:
    __getattr__ = lazy(
        __name__,
        {
            ".findings.explain": "explain similar_codes",
            ".findings.findings": "FINDING_FORMATS FindingFormat render_findings",
            ".findings.fixes": "apply_fixes",
            ".findings.located": "Located locate_all tally",
            ".masking": "masked",
        },
    )

__all__ = [
    "FINDING_FORMATS",
    "FindingFormat",
    "Located",
    "apply_fixes",
    "explain",
    "locate_all",
    "masked",
    "render_findings",
    "similar_codes",
    "tally",
]
