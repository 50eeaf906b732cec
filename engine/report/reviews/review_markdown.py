"""A review as Markdown, for one comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from engine.diagnostics import plural
from engine.review import Change, Cost, NewFinding, RequestEstimate, Review, Topic, Weight

from ..findings.markdown import MOST_CHARACTERS, cell
from ..masking import masked, masked_parameter

MARKS: Final = {Weight.EXPOSURE: "🔴", Weight.RISK: "🟠", Weight.ROUTINE: "⚪"}
WORDS: Final = {Weight.EXPOSURE: "extends access", Weight.RISK: "carries risk"}
_MANY: Final = {Weight.EXPOSURE: "extend access", Weight.RISK: "carry risk"}
ACTIONS: Final = {"added": "new", "removed": "removed", "changed": "changed"}
TOPICS: Final = {
    Topic.EXPOSES: "Exposes",
    Topic.WRITES: "Writes",
    Topic.RISKS: "Risks",
    Topic.READS: "Reads",
    Topic.COSTS: "Costs",
}
_LONGEST: Final = 80
_EDITS: Final = 30
_ROOM: Final = 400
"""Characters reserved for the note about changes that do not fit."""


def render_review_markdown(review: Review) -> str:
    """The whole comment, cut at `MOST_CHARACTERS`: the most serious changes come first, and the rest is counted."""
    parts = [f"## Weir: {headline(review)}\n"]
    parts += [_findings(review.findings)] if review.findings else []
    if review.fixed:
        parts.append(f"{plural(review.fixed, 'finding')} fixed.\n")
    tail = _costs(review.costs) + f"\n<sub>compared with {review.base[:12]} by `weir review --base …`</sub>\n"
    room = MOST_CHARACTERS - _ROOM - len(tail) - sum(len(part) + 1 for part in parts)
    for index, change in enumerate(review.changes):
        text = _change(change)
        if len(text) > room:
            parts.append(
                f"… and {plural(len(review.changes) - index, 'change')} more: use `weir review` to list them\n"
            )
            break
        room -= len(text) + 1
        parts.append(text)
    return masked("\n".join([*parts, tail]))


def headline(review: Review) -> str:
    """The number of changes and how serious they are, in one line."""
    if not review.changes:
        return "the definitions have errors" if review.has_errors else "no definition changed"
    parts = []
    for kind, noun in (("connection", "connection"), ("interface", "interface"), ("table", "table"), ("settings", "")):
        number = sum(change.kind == kind for change in review.changes)
        if number:
            parts.append(plural(number, noun) if noun else "the settings")
    listed = ", ".join(parts[:-1]) + " and " + parts[-1] if len(parts) > 1 else parts[0]
    numbers = {weight: sum(change.weight == weight for change in review.changes) for weight in WORDS}
    serious = [
        f"{number} {_MANY[weight] if number > 1 else WORDS[weight]}" for weight, number in numbers.items() if number
    ]
    return f"{listed} changed" + (f" ({', '.join(serious)})" if serious else "")


def shown(field: str, value: str | None) -> str:
    """The value of a field on one line: hidden if its name marks it as secret, cut if it is long."""
    if value is None:
        return "–"
    text = value if field.startswith("client_secret.") else masked_parameter(f"[{field.rpartition('.')[2]}]", value)
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def requests_text(found: RequestEstimate | None) -> str:
    """An estimated number of requests, in words."""
    if found is None:
        return "no requests"
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
            before, after = "…", "changed text"
        yield f"| `{edit.field}` | {after} |" if is_new else f"| `{edit.field}` | {before} | {after} |"
    if len(change.edits) > _EDITS:
        yield ""
        yield f"… and {plural(len(change.edits) - _EDITS, 'field')} more"


def _findings(found: Sequence[NewFinding]) -> str:
    mark = "❌" if any(each.severity == "error" for each in found) else "⚠️"
    lines = [f"### {mark} New findings", "", "| where | code | finding |", "|---|---|---|"]
    for each in found[:_EDITS]:
        hint = f"<br>{cell(each.hint)}" if each.hint else ""
        lines.append(f"| `{cell(each.where)}` | {each.severity} {each.code} | {cell(each.message)}{hint} |")
    if len(found) > _EDITS:
        lines += ["", f"… and {len(found) - _EDITS} more: use `weir validate` to list them"]
    return "\n".join(lines) + "\n"


def _costs(costs: Sequence[Cost]) -> str:
    changed = [cost for cost in costs if cost.before != cost.after]
    if not changed:
        return "The number of requests per run does not change.\n" if costs else ""
    lines = ["### Requests per run of all interfaces", "", "| connection | before | after |", "|---|---|---|"]
    lines += [
        f"| `{cost.connection}` | {requests_text(cost.before)} | {requests_text(cost.after)} |" for cost in changed
    ]
    return "\n".join(lines) + "\n"
