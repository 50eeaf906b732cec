"""What came of cases, for programs: JSON and JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from engine.cases import Verdict
from engine.source import SourceTree

from ..findings.junit import NOT_XML
from ..masking import masked
from .cases_text import where


def render_cases_json(verdicts: Sequence[Verdict], chosen: int, tree: SourceTree) -> str:
    """One document: the cases in order, each with its differences."""
    failed = sum(not each.passed for each in verdicts)
    document = {
        "cases": [_case(each, tree) for each in verdicts],
        "passed": len(verdicts) - failed,
        "failed": failed,
        "not_run": chosen - len(verdicts),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _case(verdict: Verdict, tree: SourceTree) -> dict[str, Any]:
    return {
        "interface": verdict.case.interface,
        "name": verdict.case.name,
        "where": where(verdict, tree),
        "passed": verdict.passed,
        "seconds": round(verdict.seconds, 3),
        "differences": [
            {**{key: masked(text) for key, text in asdict(each).items()}, "text": masked(str(each))}
            for each in verdict.differences
        ],
    }


def render_cases_junit(verdicts: Sequence[Verdict], tree: SourceTree) -> str:
    """A suite for each interface, with a test case for each of its cases."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<testsuites>"]
    for interface in dict.fromkeys(each.case.interface for each in verdicts):
        own = [each for each in verdicts if each.case.interface == interface]
        failed = sum(not each.passed for each in own)
        seconds = sum(each.seconds for each in own)
        lines.append(
            f'<testsuite name={quoteattr(interface)} tests="{len(own)}" failures="{failed}" time="{seconds:.3f}">'
        )
        for each in own:
            lines += _test_case(each, tree)
        lines.append("</testsuite>")
    lines.append("</testsuites>")
    return "\n".join(lines) + "\n"


def _test_case(verdict: Verdict, tree: SourceTree) -> list[str]:
    case, place = verdict.case, where(verdict, tree)
    name = quoteattr(case.name.translate(NOT_XML))
    file = quoteattr(place.rpartition(":")[0])
    opened = f'<testcase classname={quoteattr(case.interface)} name={name} file={file} time="{verdict.seconds:.3f}"'
    if verdict.passed:
        return [f"{opened}/>"]
    texts = [masked(str(each)).translate(NOT_XML) for each in verdict.differences]
    body = escape("\n".join([place, *texts]))
    return [f"{opened}>", f"<failure message={quoteattr(texts[0])}>{body}</failure>", "</testcase>"]
