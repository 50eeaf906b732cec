"""A review for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from engine.diagnostics import plural
from engine.review import Change, Review, Topic, Weight

from ..masking import masked
from ..paint import BOLD, CYAN, DIM, GREEN, RED, YELLOW, Paint
from .review_markdown import ACTIONS, TOPICS, WORDS, headline, requests_text, shown

_WIDTH: Final = 110
_STYLES: Final = {Weight.EXPOSURE: RED, Weight.RISK: YELLOW, Weight.ROUTINE: GREEN}


def render_review_text(review: Review, *, colour: bool = False) -> str:
    """The whole review, the most serious changes first."""
    paint = Paint(colour)
    lines = [f"{paint(BOLD, headline(review))}  {paint(DIM, f'since {review.base[:12]}')}"]
    for finding in review.findings:
        lines.append(f"  {paint(RED, f'{finding.severity}[{finding.code}]')}: {finding.message}")
        lines.append(f"    {paint(DIM, finding.where)}")
        if finding.hint:
            lines += textwrap.wrap(f"help: {finding.hint}", _WIDTH, initial_indent="    ", subsequent_indent="      ")
    if review.fixed:
        lines.append(f"  {paint(GREEN, 'fixed')}: {plural(review.fixed, 'finding')}")
    for change in review.changes:
        lines += ["", *_change(change, paint)]
    changed = [cost for cost in review.costs if cost.before != cost.after]
    if changed:
        lines += ["", paint(BOLD, "requests per run of all interfaces")]
        lines += [
            f"  {each.connection}: {_plain(requests_text(each.before))} → {_plain(requests_text(each.after))}"
            for each in changed
        ]
    return masked("\n".join(lines)) + "\n"


def _change(change: Change, paint: Paint) -> Iterator[str]:
    serious = f"  {paint(_STYLES[change.weight], WORDS[change.weight])}" if change.weight else ""
    name = f"{change.kind} {paint(BOLD, change.name)}: {paint(_STYLES[change.weight], ACTIONS[change.action])}"
    yield f"{name}{serious}  {paint(DIM, change.place.file)}"
    for topic in Topic:
        for each in change.consequences:
            if each.topic is topic:
                title = TOPICS[topic].lower()
                text = textwrap.wrap(_plain(each.text), _WIDTH, subsequent_indent=" " * 10)
                yield f"  {paint(CYAN, title)}{' ' * (8 - len(title))}{text[0]}"
                yield from text[1:]
    if change.action == "removed":
        return
    for edit in change.edits:
        before, after = shown(edit.field, edit.before), shown(edit.field, edit.after)
        if before == after:
            before, after = "…", "changed text"
        yield (
            f"  {paint(DIM, edit.field)}: {after}"
            if change.action == "added"
            else (f"  {paint(DIM, edit.field)}: {before} → {after}")
        )


def _plain(text: str) -> str:
    return text.replace("**", "").replace("`", "")
