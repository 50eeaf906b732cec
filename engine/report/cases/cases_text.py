"""What came of cases, for a terminal: a line for each as it ends, and what they come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from engine.cases import Verdict
from engine.source import SourceTree

from ..masking import masked, visible
from ..paint import BOLD, DIM, GREEN, RED, Paint, plural

SHOWN: Final = 20
"""How many differences of a case are listed; `--format json` has all."""


def render_verdict(verdict: Verdict, tree: SourceTree, *, colour: bool = False) -> str:
    """A line, and for a case that has failed its place and what differs."""
    paint = Paint(colour)
    mark = paint(GREEN, "✓") if verdict.passed else paint(RED, "✗")
    case = verdict.case
    seconds = paint(DIM, f"{verdict.seconds:.2f} s")
    lines = [f"{mark} {visible(case.label)}  {seconds}"]
    if not verdict.passed:
        lines.append(f"    {paint(DIM, where(verdict, tree))}")
        lines += [f"    {visible(str(each))}" for each in verdict.differences[:SHOWN]]
        more = len(verdict.differences) - SHOWN
        lines += [f"    {paint(DIM, f'… and {more:,} more')}"] if more > 0 else []
    return masked("\n".join(lines)) + "\n"


def render_cases_summary(verdicts: Sequence[Verdict], chosen: int, *, colour: bool = False) -> str:
    """How many passed, failed, and were not run."""
    paint = Paint(colour)
    failed = sum(not each.passed for each in verdicts)
    parts = [paint(RED, f"{failed} failed")] if failed else []
    passed = len(verdicts) - failed
    parts += [paint(GREEN, f"{passed} passed")] if passed else []
    parts += [f"{chosen - len(verdicts)} not run"] if len(verdicts) < chosen else []
    seconds = sum(each.seconds for each in verdicts)
    return f"{paint(BOLD, plural(chosen, 'case'))}: {', '.join(parts) or 'none run'} in {seconds:.1f} s\n"


def where(verdict: Verdict, tree: SourceTree) -> str:
    """`file:line` of the case."""
    region = tree.locate(verdict.case.place)
    return f"{region.file}:{region.start_line}"
