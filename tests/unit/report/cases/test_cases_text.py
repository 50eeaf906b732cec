"""The results of cases as text and as JUnit XML."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from engine.cases import CaseResult, Difference
from engine.diagnostics import Collector, Place
from engine.project import Case, Expected
from engine.report.cases.cases_machine import render_cases_junit
from engine.report.cases.cases_text import SHOWN, render_cases_summary, render_result
from engine.source import SourceTree, read_yaml

FILE = "interfaces/a.test.yaml"
TREE = SourceTree(Path(), cases={FILE: read_yaml(FILE, "kind: test\ncases:\n  - name: a\n", Collector())})
KEY = "sk_live_" + "0123456789abcdef"
CASE = Case("a", "b\x1b[2J", Place(FILE, ("cases", 0, "name")), {}, {}, {}, Expected({}, {}, None, {}, None))
FAILED = CaseResult(CASE, tuple(Difference("respond", "missing", f"{{id: {n}, key: {KEY}}}") for n in range(25)), 0.5)


def test_result_text_is_escaped_masked_and_truncated() -> None:
    shown = render_result(FAILED, TREE).splitlines()
    assert shown[:2] == ["✗ a::b·[2J  0.50 s", "    interfaces/a.test.yaml:3"]
    assert shown[2].startswith("    respond: missing {id: 0, key: sk_live_****")
    assert shown[-1] == "    … and 5 more"
    assert len(shown) == 2 + SHOWN + 1


def test_cases_summary_counts_failed_passed_and_not_run() -> None:
    passed = replace(FAILED, differences=())
    assert render_cases_summary((passed, FAILED), 3) == "3 test cases: 1 failed, 1 passed, 1 not run in 1.0 s\n"
    assert render_cases_summary((passed,), 1) == "1 test case: 1 passed in 0.5 s\n"
    assert render_cases_summary((), 2, colour=True) == "\x1b[1m2 test cases\x1b[0m: 2 not run in 0.0 s\n"


def test_cases_junit_is_valid_xml_for_any_name() -> None:
    (suite,) = ElementTree.fromstring(render_cases_junit((FAILED,), TREE).encode())
    (case,) = suite
    assert case.get("file") == FILE
    assert KEY not in ElementTree.tostring(suite, "unicode")
