"""Findings as SARIF 2.1.0, for code scanning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from engine.diagnostics import CODES, Severity
from engine.source import Region

from .located import Located

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}


def render_sarif(found: Sequence[Located], version: str) -> str:
    """One run of the tool `weir` in this version, with the rules of the findings."""
    rules = sorted({item.code for item in found})
    driver = {
        "name": "weir",
        "version": version,
        "rules": [
            {
                "id": code,
                "shortDescription": {"text": CODES[code].title},
                "help": {"text": CODES[code].page, "markdown": CODES[code].page},
                "defaultConfiguration": {"level": _LEVELS[CODES[code].severity]},
            }
            for code in rules
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"ROOT": {"description": {"text": "the project's root folder"}}},
        "results": [_result(item, rules.index(item.code)) for item in found],
    }
    return json.dumps({"version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _result(item: Located, rule: int) -> dict[str, object]:
    text = item.message + (f"\n{item.hint}" if item.hint else "")
    result: dict[str, object] = {
        "ruleId": item.code,
        "ruleIndex": rule,
        "level": _LEVELS[item.severity],
        "message": {"text": text},
    }
    if item.region:
        result["locations"] = [_location(item.region)]
    if item.labels:
        result["relatedLocations"] = [
            {**_location(region), "id": number, "message": {"text": label}}
            for number, (region, label) in enumerate(item.labels, 1)
        ]
    if item.fixes:
        result["fixes"] = [
            {
                "description": {"text": fix.title},
                "artifactChanges": [
                    {
                        "artifactLocation": {"uri": quote(region.file), "uriBaseId": "ROOT"},
                        "replacements": [
                            {"deletedRegion": _region(region), "insertedContent": {"text": fix.replacement}}
                        ],
                    }
                ],
            }
            for fix, region in item.fixes
        ]
    return result


def _location(region: Region) -> dict[str, object]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(region.file), "uriBaseId": "ROOT"},
            "region": _region(region),
        }
    }


def _region(region: Region) -> dict[str, object]:
    return {
        "startLine": region.start_line,
        "startColumn": region.start_column,
        "endLine": region.end_line,
        "endColumn": region.end_column,
    }
