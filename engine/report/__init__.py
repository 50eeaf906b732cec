"""What people and machines are shown: findings, plans, runs."""

from .explain import explain, similar_codes
from .findings import FINDING_FORMATS, FindingFormat, render_findings
from .fixes import apply_fixes
from .located import Located, locate_all, tally
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
