"""Differences between two catalogues, line by line."""

from __future__ import annotations

from collections.abc import Iterator


def differences(old: object, new: object, path: str = "", limit: int = 200) -> list[str]:
    """`- path` for removed, `+ path` for added, `~ path: old → new` for changed values; at most `limit` lines."""
    lines = list(_compare(_named(old), _named(new), path))
    return [*lines[:limit], f"… and {len(lines) - limit} more"] if len(lines) > limit else lines


def _named(value: object) -> object:
    """Convert lists of named values to dicts, so that an insertion is one line."""
    if isinstance(value, list) and value and all(isinstance(each, dict) for each in value):
        keys = [
            f"{each.get('method', '')} {each.get('path') or each.get('param') or each.get('name')}" for each in value
        ]
        if len(set(keys)) == len(keys):
            return {key.strip(): each for key, each in zip(keys, value, strict=True)}
    return value


def _compare(old: object, new: object, path: str) -> Iterator[str]:
    old, new = _named(old), _named(new)
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            place = f"{path}.{key}" if path else str(key)
            if key not in new:
                yield f"- {place}"
            elif key not in old:
                yield f"+ {place}"
            else:
                yield from _compare(old[key], new[key], place)
    elif old != new:
        yield f"~ {path}: {_short(old)} → {_short(new)}"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:59] + "…"
