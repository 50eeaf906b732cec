"""Results of test cases for a terminal: one line per test case as it ends, and a summary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.cases import CaseResult
from engine.diagnostics import plural
from engine.source import SourceTree

from ..masking import masked, visible
from ..paint import BOLD, DIM, GREEN, RED, Paint

SHOWN: Final = 20
"""Maximum number of listed differences per test case; `--format json` has all."""


def render_result(result: CaseResult, tree: SourceTree, *, colour: bool = False) -> str:
    """One line; for a failed test case also its place and its differences."""
    paint = Paint(colour)
    mark = paint(GREEN, "✓") if result.passed else paint(RED, "✗")
    case = result.case
    seconds = paint(DIM, f"{result.seconds:.2f} s")
    lines = [f"{mark} {visible(case.label)}  {seconds}"]
    if not result.passed:
        lines.append(f"    {paint(DIM, where(result, tree))}")
        lines += [f"    {visible(str(each))}" for each in result.differences[:SHOWN]]
        more = len(result.differences) - SHOWN
        lines += [f"    {paint(DIM, f'… and {more:,} more')}"] if more > 0 else []
    return masked("\n".join(lines)) + "\n"


def render_cases_summary(results: Sequence[CaseResult], chosen: int, *, colour: bool = False) -> str:
    """The number of test cases that passed, failed, and were not run."""
    paint = Paint(colour)
    failed = sum(not each.passed for each in results)
    parts = [paint(RED, f"{failed} failed")] if failed else []
    passed = len(results) - failed
    parts += [paint(GREEN, f"{passed} passed")] if passed else []
    parts += [f"{chosen - len(results)} not run"] if len(results) < chosen else []
    seconds = sum(each.seconds for each in results)
    return f"{paint(BOLD, plural(chosen, 'test case'))}: {', '.join(parts) or 'none run'} in {seconds:.1f} s\n"


def where(result: CaseResult, tree: SourceTree) -> str:
    """`file:line` of the test case."""
    region = tree.locate(result.case.place)
    return f"{region.file}:{region.start_line}"
