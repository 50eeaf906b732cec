"""Results of test cases for programs: JSON and JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from engine.cases import CaseResult
from engine.source import SourceTree

from ..findings.junit import NOT_XML
from ..masking import masked
from .cases_text import where


def render_cases_json(results: Sequence[CaseResult], chosen: int, tree: SourceTree) -> str:
    """One document: the test cases in order, each with its differences."""
    failed = sum(not each.passed for each in results)
    document = {
        "cases": [_case(each, tree) for each in results],
        "passed": len(results) - failed,
        "failed": failed,
        "not_run": chosen - len(results),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _case(result: CaseResult, tree: SourceTree) -> dict[str, Any]:
    return {
        "interface": result.case.interface,
        "name": result.case.name,
        "where": where(result, tree),
        "passed": result.passed,
        "seconds": round(result.seconds, 3),
        "differences": [
            {**{key: masked(text) for key, text in asdict(each).items()}, "text": masked(str(each))}
            for each in result.differences
        ],
    }


def render_cases_junit(results: Sequence[CaseResult], tree: SourceTree) -> str:
    """One suite per interface, with one `testcase` per test case."""
    lines = ['<?xml version="1.0" encoding="utf-8"?>', "<testsuites>"]
    for interface in dict.fromkeys(each.case.interface for each in results):
        own = [each for each in results if each.case.interface == interface]
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


def _test_case(result: CaseResult, tree: SourceTree) -> list[str]:
    case, place = result.case, where(result, tree)
    name = quoteattr(case.name.translate(NOT_XML))
    file = quoteattr(place.rpartition(":")[0])
    opened = f'<testcase classname={quoteattr(case.interface)} name={name} file={file} time="{result.seconds:.3f}"'
    if result.passed:
        return [f"{opened}/>"]
    texts = [masked(str(each)).translate(NOT_XML) for each in result.differences]
    body = escape("\n".join([place, *texts]))
    return [f"{opened}>", f"<failure message={quoteattr(texts[0])}>{body}</failure>", "</testcase>"]
