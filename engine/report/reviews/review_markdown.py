"""A review as Markdown, for one comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from engine.review import Asked, Change, Cost, Finding, Review, Topic, Weight

from ..findings.markdown import MOST_CHARACTERS, cell
from ..masking import masked, masked_parameter
from ..paint import plural

MARKS: Final = {Weight.EXPOSURE: "🔴", Weight.RISK: "🟠", Weight.ROUTINE: "⚪"}
WORDS: Final = {Weight.EXPOSURE: "exposes more", Weight.RISK: "puts something at risk"}
_MANY: Final = {Weight.EXPOSURE: "expose more", Weight.RISK: "put something at risk"}
ACTIONS: Final = {"added": "new", "removed": "gone", "changed": "changed"}
TOPICS: Final = {
    Topic.EXPOSES: "Exposes",
    Topic.WRITES: "Writes",
    Topic.RISKS: "Mind",
    Topic.READS: "Reads",
    Topic.COSTS: "Costs",
}
_LONGEST: Final = 80
_EDITS: Final = 30
_ROOM: Final = 400
"""Characters that are kept for saying what did not fit."""


def render_review_markdown(review: Review) -> str:
    """The whole comment, cut at `MOST_CHARACTERS`: the gravest changes come first, and what does not fit is counted."""
    parts = [f"## Weir: {headline(review)}\n"]
    parts += [_findings(review.findings)] if review.findings else []
    if review.mended:
        parts.append(f"{plural(review.mended, 'finding')} mended.\n")
    tail = (
        _costs(review.costs) + f"\n<sub>compared with {review.base[:12]}; `weir review --base …` says it again</sub>\n"
    )
    room = MOST_CHARACTERS - _ROOM - len(tail) - sum(len(part) + 1 for part in parts)
    for index, change in enumerate(review.changes):
        text = _change(change)
        if len(text) > room:
            parts.append(f"… and {plural(len(review.changes) - index, 'change')} more: `weir review` lists them\n")
            break
        room -= len(text) + 1
        parts.append(text)
    return masked("\n".join([*parts, tail]))


def headline(review: Review) -> str:
    """How much has changed, and how grave it is, in a line."""
    if not review.changes:
        return "something is wrong" if review.has_errors else "no definition means anything else"
    parts = []
    for kind, noun in (("connection", "connection"), ("interface", "interface"), ("table", "table"), ("settings", "")):
        number = sum(change.kind == kind for change in review.changes)
        if number:
            parts.append(plural(number, noun) if noun else "the settings")
    said = ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]
    numbers = {weight: sum(change.weight == weight for change in review.changes) for weight in WORDS}
    grave = [
        f"{number} {_MANY[weight] if number > 1 else WORDS[weight]}" for weight, number in numbers.items() if number
    ]
    return f"{said} changed" + (f" ({', '.join(grave)})" if grave else "")


def shown(field: str, value: str | None) -> str:
    """The value of a field in a line: hidden where its name says that it is secret, cut where it is long."""
    if value is None:
        return "–"
    text = value if field.startswith("client_secret.") else masked_parameter(f"[{field.rpartition('.')[2]}]", value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def asked(found: Asked | None) -> str:
    """How many requests, in words."""
    if found is None:
        return "nothing"
    if not found.unknown:
        return f"about {plural(found.requests, 'request')}"
    tables = ", ".join(f"`{table}`" for table in found.unknown[:5])
    more = f" and {len(found.unknown) - 5} more" if len(found.unknown) > 5 else ""
    return f"known after the first run of {tables}{more}"


def _change(change: Change) -> str:
    title = f"### {MARKS[change.weight]} {change.kind} `{change.name}`: {ACTIONS[change.action]}"
    lines = [f"{title} ({WORDS[change.weight]})" if change.weight else title, f"`{change.place.file}`", ""]
    lines += [
        f"- **{TOPICS[topic]}:** {each.text}" for topic in Topic for each in change.consequences if each.topic is topic
    ]
    if change.action != "removed":
        lines += ["", *_edits(change)]
    return "\n".join(lines) + "\n"


def _edits(change: Change) -> Iterator[str]:
    is_new = change.action == "added"
    yield "| field | value |" if is_new else "| field | before | after |"
    yield "|---|---|" if is_new else "|---|---|---|"
    for edit in change.edits[:_EDITS]:
        before, after = (cell(shown(edit.field, value)) for value in (edit.before, edit.after))
        if before == after:
            before, after = "…", "another text"
        yield f"| `{edit.field}` | {after} |" if is_new else f"| `{edit.field}` | {before} | {after} |"
    if len(change.edits) > _EDITS:
        yield ""
        yield f"… and {plural(len(change.edits) - _EDITS, 'field')} more"


def _findings(found: Sequence[Finding]) -> str:
    mark = "❌" if any(each.severity == "error" for each in found) else "⚠️"
    lines = [f"### {mark} Findings that are new", "", "| where | code | finding |", "|---|---|---|"]
    for each in found[:_EDITS]:
        hint = f"<br>{cell(each.hint)}" if each.hint else ""
        lines.append(f"| `{cell(each.where)}` | {each.severity} {each.code} | {cell(each.message)}{hint} |")
    if len(found) > _EDITS:
        lines += ["", f"… and {len(found) - _EDITS} more: `weir validate` lists them"]
    return "\n".join(lines) + "\n"


def _costs(costs: Sequence[Cost]) -> str:
    moved = [cost for cost in costs if cost.before != cost.after]
    if not moved:
        return "A run asks as much as before.\n" if costs else ""
    lines = ["### What a run of everything asks", "", "| connection | before | after |", "|---|---|---|"]
    lines += [f"| `{cost.connection}` | {asked(cost.before)} | {asked(cost.after)} |" for cost in moved]
    return "\n".join(lines) + "\n"
