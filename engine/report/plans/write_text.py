"""What a step may write to a provider, for people: the requests, their effects, and their limits."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Final

from engine.connector import Effect
from engine.diagnostics import plural
from engine.graph import Call, Caps, Export, Use, WriteColumn
from engine.plan import EFFECTS

from ..paint import BOLD, CYAN, DIM, RED, YELLOW, Paint

_WIDTH: Final = 110


def render_write(step: Export | Call, paint: Paint) -> Iterator[str]:
    """The lines of a plan about such a step, indented."""
    verbs = step.verbs if isinstance(step, Export) else ((Use.CALL, step.verb),)
    for use, verb in verbs:
        strong = RED if verb.effect in (Effect.MONEY, Effect.FINAL) else DIM
        fixed = "".join(f" {name}={value}" for name, value in verb.fixed.items())
        yield f"    {use}: {paint(CYAN, verb.request)}{fixed}  {paint(strong, EFFECTS[verb.effect])}"
    parts = [f"{paint(BOLD, column.path)} = {_value(column)}{_notes(column)}" for column in step.columns]
    for line in parts:
        yield f"      {line}"
    bounds = _bounds(step.caps)
    if bounds:
        yield f"    {paint(YELLOW, 'at most')} {bounds}"
    text = "`weir plan --live` lists the rows, field by field"
    yield from textwrap.wrap(text, _WIDTH, initial_indent="    ", subsequent_indent="    ")


def _value(column: WriteColumn) -> str:
    if column.ref is not None:
        return f"id of the object of `{column.ref}` for {column.source}"
    origin = column.expr if column.expr is not None else column.source
    if origin is None:
        return column.default or "NULL"
    return origin if column.default is None else f"{origin}, or {column.default}"


def _notes(column: WriteColumn) -> str:
    notes = []
    if column.immutable:
        notes.append("only when an object is created")
    if column.skip_if_empty:
        notes.append("empty values keep the current one")
    return f"  ({'; '.join(notes)})" if notes else ""


def _bounds(caps: Caps) -> str:
    parts = []
    if caps.max_writes is not None:
        parts.append(plural(caps.max_writes, "write"))
    if caps.max_deletes is not None:
        parts.append(plural(caps.max_deletes, "retired object"))
    return ", ".join(parts)
