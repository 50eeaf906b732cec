"""What two definitions of one name say differently, field by field: as they are written, references unresolved."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from engine.spec import InterfaceSpec, Model, duration_text

from .types import Edit

_NAMING: Final = frozenset({"kind", "name"})


def edits_between(before: Model | None, after: Model | None) -> tuple[Edit, ...]:
    """The fields that differ, in the order in which a definition has them. Steps go by their names, so that one that
    only moves is no edit of the others. None: there is no such definition, and of the other what it says counts, not
    what it leaves to defaults."""
    is_whole = before is None or after is None
    old, new = _fields(before, is_whole), _fields(after, is_whole)
    return tuple(Edit(name, old.get(name), new.get(name)) for name in {**new, **old} if old.get(name) != new.get(name))


def _fields(spec: Model | None, only_said: bool) -> dict[str, str | None]:
    if spec is None:
        return {}
    said = spec.model_dump(by_alias=True, exclude_none=True, exclude_unset=only_said)
    if isinstance(spec, InterfaceSpec):
        named = ((spec.step_name(index), step) for index, step in enumerate(said["steps"]))
        said["steps"] = {
            name: {key: value for key, value in step.items() if key not in _NAMING} for name, step in named
        }
    return dict(_flat({name: value for name, value in said.items() if name not in _NAMING}))


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str | None]]:
    for name, inner in value.items():
        if isinstance(inner, dict) and inner:
            yield from _flat(inner, f"{prefix}{name}.")
        elif inner not in ({}, [], ()):
            yield f"{prefix}{name}", _said(inner)


def _said(value: object) -> str:
    """The value as it is written in a definition, near enough."""
    if isinstance(value, timedelta):
        return duration_text(value)
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=_said)
