"""Findings as JUnit XML: one `testcase` per file, which fails if the file has errors."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from engine.diagnostics import Severity

from .located import Located

NOT_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32), 65534, 65535), "�")
"""Translation of characters that XML does not allow."""


def render_junit(found: Sequence[Located], files: Sequence[str]) -> str:
    """One suite with a `testcase` for each of `files` (the definitions), and one for findings without a file."""
    errors = [item for item in found if item.severity is Severity.ERROR]
    cases: dict[str, list[Located]] = {file: [] for file in files}
    for item in errors:
        cases.setdefault(item.region.file if item.region else "project", []).append(item)
    lines = ['<?xml version="1.0" encoding="utf-8"?>']
    lines.append(f'<testsuites><testsuite name="weir validate" tests="{len(cases)}" failures="{len(errors)}">')
    for file, items in cases.items():
        name = f'<testcase classname="weir" name={quoteattr(file)}'
        if not items:
            lines.append(f"{name}/>")
            continue
        lines.append(f"{name}>")
        for item in items:
            text = f"{item.where}: {item.message}" + (f"\n{item.hint}" if item.hint else "")
            body = escape(text.translate(NOT_XML))
            lines.append(
                f'<failure type="{item.code}" message={quoteattr(item.message.translate(NOT_XML))}>{body}</failure>'
            )
        lines.append("</testcase>")
    lines.append("</testsuite></testsuites>")
    return "\n".join(lines) + "\n"
