"""What people and machines are shown: findings, plans, runs."""

from .findings.explain import explain, similar_codes
from .findings.findings import FINDING_FORMATS, FindingFormat, render_findings
from .findings.fixes import apply_fixes
from .findings.located import Located, locate_all, tally
from .masking import masked

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
