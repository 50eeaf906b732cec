"""Findings as JSON, in a stable format."""

from __future__ import annotations

import json
from collections.abc import Sequence

from engine.source import Region

from .located import Located

FORMAT_VERSION = 1


def render_json(found: Sequence[Located]) -> str:
    """One object: `format_version`, `findings` (see `finding`), `errors` and `warnings`."""
    document = {
        "format_version": FORMAT_VERSION,
        "errors": sum(item.severity == "error" for item in found),
        "warnings": sum(item.severity == "warning" for item in found),
        "findings": [finding(item) for item in found],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def finding(item: Located) -> dict[str, object]:
    """One finding: places are null or {file, line, column, end_line, end_column}, counted from 1, end exclusive."""
    return {
        "code": item.code,
        "severity": str(item.severity),
        "title": item.title,
        "message": item.message,
        "place": _place(item.region),
        "labels": [{"text": text, "place": _place(region)} for region, text in item.labels],
        "hint": item.hint,
        "fixes": [
            {"title": fix.title, "place": _place(region), "replacement": fix.replacement} for fix, region in item.fixes
        ],
    }


def _place(region: Region | None) -> dict[str, object] | None:
    if region is None:
        return None
    return {
        "file": region.file,
        "line": region.start_line,
        "column": region.start_column,
        "end_line": region.end_line,
        "end_column": region.end_column,
    }
