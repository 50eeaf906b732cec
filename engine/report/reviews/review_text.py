"""A review for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from engine.review import Change, Review, Topic, Weight

from ..masking import masked
from ..paint import BOLD, CYAN, DIM, GREEN, RED, YELLOW, Paint, plural
from .review_markdown import ACTIONS, TOPICS, WORDS, asked, headline, shown

_WIDTH: Final = 110
_STYLES: Final = {Weight.EXPOSURE: RED, Weight.RISK: YELLOW, Weight.ROUTINE: GREEN}


def render_review_text(review: Review, *, colour: bool = False) -> str:
    """Everything, the gravest first."""
    paint = Paint(colour)
    lines = [f"{paint(BOLD, headline(review))}  {paint(DIM, f'since {review.base[:12]}')}"]
    for finding in review.findings:
        lines.append(f"  {paint(RED, f'{finding.severity}[{finding.code}]')}: {finding.message}")
        lines.append(f"    {paint(DIM, finding.where)}")
        if finding.hint:
            lines += textwrap.wrap(f"help: {finding.hint}", _WIDTH, initial_indent="    ", subsequent_indent="      ")
    if review.mended:
        lines.append(f"  {paint(GREEN, 'mended')}: {plural(review.mended, 'finding')}")
    for change in review.changes:
        lines += ["", *_change(change, paint)]
    moved = [cost for cost in review.costs if cost.before != cost.after]
    if moved:
        lines += ["", paint(BOLD, "what a run of everything asks")]
        lines += [f"  {each.connection}: {_plain(asked(each.before))} → {_plain(asked(each.after))}" for each in moved]
    return masked("\n".join(lines)) + "\n"


def _change(change: Change, paint: Paint) -> Iterator[str]:
    grave = f"  {paint(_STYLES[change.weight], WORDS[change.weight])}" if change.weight else ""
    name = f"{change.kind} {paint(BOLD, change.name)}: {paint(_STYLES[change.weight], ACTIONS[change.action])}"
    yield f"{name}{grave}  {paint(DIM, change.place.file)}"
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
            before, after = "…", "another text"
        yield (
            f"  {paint(DIM, edit.field)}: {after}"
            if change.action == "added"
            else (f"  {paint(DIM, edit.field)}: {before} → {after}")
        )


def _plain(text: str) -> str:
    return text.replace("**", "").replace("`", "")
