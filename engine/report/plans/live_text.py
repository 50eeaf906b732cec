"""Planned writes, row by row, for people."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

from engine.connector import Effect
from engine.diagnostics import plural
from engine.graph import Call, Export, Use
from engine.plan import EFFECTS, PENDING, FieldChange, Plan, PlannedWrite, StepWrites

from ..masking import masked
from ..paint import BOLD, CYAN, DIM, GREEN, RED, YELLOW, Paint

SHOWN: Final = 50
"""Maximum number of listed writes per step, unless all are requested."""

_STYLES: Final = {Use.CREATE: GREEN, Use.UPDATE: YELLOW, Use.REPLACE: YELLOW, Use.RETIRE: RED, Use.CALL: CYAN}
_LONGEST: Final = 80


def render_live(
    plan: Plan,
    writes: Sequence[StepWrites],
    warnings: Mapping[str, Sequence[str]] = MappingProxyType({}),
    *,
    colour: bool = False,
    limit: int | None = SHOWN,
) -> str:
    """Each step with its rows (at most `limit`) and warnings, then the total."""
    paint = Paint(colour)
    steps = {task.id: task.step for task in plan.tasks}
    lines: list[str] = []
    for each in writes:
        step = steps[each.step]
        if isinstance(step, Export | Call):
            noted = [f"  {paint(YELLOW, 'warning')}: {text}" for text in warnings.get(each.step, ())]
            lines += [*_step(step, each, paint, limit), *noted, ""]
    lines.append(_total(writes, steps, paint))
    return masked("\n".join(lines)) + "\n"


def _step(step: Export | Call, writes: StepWrites, paint: Paint, limit: int | None) -> Iterator[str]:
    target = step.entity if isinstance(step, Export) else step.function
    yield f"{paint(BOLD, step.id)}: {step.connection}.{target}, {plural(writes.rows, 'row')}"
    shown = writes.writes if limit is None else writes.writes[:limit]
    for write in shown:
        yield from _write(write, paint)
    if len(shown) < len(writes.writes):
        yield f"  {paint(DIM, f'… and {len(writes.writes) - len(shown):,} more (use `--all` to list them)')}"
    for refusal in writes.refusals[:limit]:
        yield f"  {paint(RED, 'x')} {_key(refusal.key)}: {refusal.problem}"
    if writes.refused > len(writes.refusals[:limit]):
        more = plural(writes.refused - len(writes.refusals[:limit]), "more refused row")
        yield f"  {paint(DIM, f'… and {more}')}"
    yield f"  {_counts(writes)}"
    yield from _effects(step, writes, paint)


def _write(write: PlannedWrite, paint: Paint) -> Iterator[str]:
    sign = paint(_STYLES[write.use], write.use.sign)
    what = f"{write.use} {paint(BOLD, _key(write.key))}"
    of = f" ({write.object})" if write.object is not None and write.object not in write.label else ""
    yield f"  {sign} {what}{paint(DIM, of)}  {paint(DIM, write.target)}"
    for change in write.changes:
        yield f"      {_change(change, paint)}"
    if write.use is Use.RETIRE and write.parameters:
        yield f"      {', '.join(f'{path} = {text}' for path, text in write.parameters)}"
    if write.retire is not None:
        yield f"      then {write.retire[0]} {write.object}: {_pairs(write.retire[1])}"


def _pairs(parameters: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{path} = {text}" for path, text in parameters)


def _change(change: FieldChange, paint: Paint) -> str:
    if change.before is None:
        return f"{change.path}: {paint(GREEN, _value(change.after))}"
    return f"{change.path}: {paint(RED, _value(change.before))} → {paint(GREEN, _value(change.after))}"


def _value(text: str | None) -> str:
    if text is None:
        return "(no value)"
    if text.startswith(PENDING):
        step, _, key = text[len(PENDING) :].partition(" ")
        return f"(id of the new object of `{step}` for {_key(key)})"
    cut = text if len(text) <= _LONGEST else text[:_LONGEST] + "…"
    return json.dumps(cut, ensure_ascii=False)


def _key(key: str) -> str:
    return ", ".join(str(part) for part in json.loads(key))


def _counts(writes: StepWrites) -> str:
    parts = [f"{writes.count(use):,} to {use}" for use in Use if writes.count(use)]
    parts += [f"{writes.unchanged:,} unchanged"] if writes.unchanged else []
    parts += [f"{writes.refused:,} refused"] if writes.refused else []
    return ", ".join(parts) or "no rows"


def _effects(step: Export | Call, writes: StepWrites, paint: Paint) -> Iterator[str]:
    """The effects of the writes beyond data: money, messages, irreversible changes."""
    verbs = dict(step.verbs) if isinstance(step, Export) else {Use.CALL: step.verb}
    counts: dict[Effect, int] = defaultdict(int)
    for write in writes.writes:
        verb = verbs.get(write.use)
        if verb is not None:
            counts[verb.effect] += 1
    for effect in (Effect.MONEY, Effect.FINAL, Effect.MESSAGE):
        if counts[effect]:
            yield f"  {paint(RED, EFFECTS[effect])}: {plural(counts[effect], 'write')}{_amounts(step, writes, effect)}"


def _amounts(step: Export | Call, writes: StepWrites, effect: Effect) -> str:
    """The sums of the amounts that are sent, by currency in minor units, without amounts that the provider
    determines."""
    money = {column.path for column in step.columns if column.parameter.money}
    if effect is not Effect.MONEY or not money:
        return ""
    sums: dict[str, int] = defaultdict(int)
    for write in writes.writes:
        given = dict(write.parameters)
        currency = given.get("currency", "in the object's currency")
        for path in money & given.keys():
            sums[currency] += int(given[path]) if given[path].lstrip("-").isdigit() else 0
    listed = ", ".join(f"{amount:,} {currency}" for currency, amount in sorted(sums.items()))
    return f", {listed} in minor units" if listed else ""


def _total(writes: Sequence[StepWrites], steps: Mapping[str, object], paint: Paint) -> str:
    requests = sum(len(each.writes) + sum(w.retire is not None for w in each.writes) for each in writes)
    if not writes:
        return paint(DIM, "no step of this plan writes to a provider")
    if not requests:
        return paint(GREEN, "nothing would be written")
    number = sum(each.step in steps for each in writes)
    return f"{paint(BOLD, plural(requests, 'write'))} in {plural(number, 'step')}"
