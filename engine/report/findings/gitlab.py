"""Findings as a GitLab code quality report."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from engine.diagnostics import Severity

from .located import Located

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.NOTE: "info"}


def render_gitlab(found: Sequence[Located]) -> str:
    """A JSON list. The fingerprint does not include the line, so a finding that moved keeps its identity."""
    seen: dict[str, int] = {}
    rows = []
    for item in found:
        identity = f"{item.code}\0{item.region.file if item.region else ''}\0{item.message}"
        seen[identity] = seen.get(identity, 0) + 1
        fingerprint = hashlib.sha256(f"{identity}\0{seen[identity]}".encode()).hexdigest()
        place = {"path": item.region.file if item.region else "weir.yaml"}
        lines = {"begin": item.region.start_line if item.region else 1}
        rows.append(
            {
                "description": item.message + (f" ({item.hint})" if item.hint else ""),
                "check_name": item.code,
                "fingerprint": fingerprint,
                "severity": _SEVERITIES[item.severity],
                "location": {**place, "lines": lines},
            }
        )
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
