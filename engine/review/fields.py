"""The differences between two definitions of one name, field by field, as written: references are not resolved."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from engine.spec import InterfaceSpec, Model, duration_text

from .types import Edit

_NAMING: Final = frozenset({"kind", "name"})


def edits_between(before: Model | None, after: Model | None) -> tuple[Edit, ...]:
    """The fields that differ, in the order of the definition. Steps are compared by name, so that a step that only
    moves does not change the others. None: there is no such definition; then defaults of the other are omitted."""
    is_whole = before is None or after is None
    old, new = _fields(before, is_whole), _fields(after, is_whole)
    return tuple(Edit(name, old.get(name), new.get(name)) for name in {**new, **old} if old.get(name) != new.get(name))


def _fields(spec: Model | None, only_set: bool) -> dict[str, str | None]:
    if spec is None:
        return {}
    written = spec.model_dump(by_alias=True, exclude_none=True, exclude_unset=only_set)
    if isinstance(spec, InterfaceSpec):
        named = ((spec.step_name(index), step) for index, step in enumerate(written["steps"]))
        written["steps"] = {
            name: {key: value for key, value in step.items() if key not in _NAMING} for name, step in named
        }
    return dict(_flat({name: value for name, value in written.items() if name not in _NAMING}))


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str | None]]:
    for name, inner in value.items():
        if isinstance(inner, dict) and inner:
            yield from _flat(inner, f"{prefix}{name}.")
        elif inner not in ({}, [], ()):
            yield f"{prefix}{name}", _as_written(inner)


def _as_written(value: object) -> str:
    """The value approximately as a definition writes it."""
    if isinstance(value, timedelta):
        return duration_text(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_as_written)
