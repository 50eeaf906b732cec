"""Form parameters: from `items[0][price]=x` to nested values, and their validation against the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from engine.connectors.stripe.catalogue import Param, ParamType

from .errors import ApiError, invalid

RawParams: TypeAlias = dict[str, Any]
"""Unvalidated parameters: nested dicts with text leaves; list positions are keys of digits."""

KEYS_LIMIT: Final = 50
KEY_LIMIT: Final = 40
VALUE_LIMIT: Final = 500


def nest(pairs: Iterable[tuple[str, str]]) -> RawParams:
    """Nest `name=value` pairs; `[]` appends."""
    nested: RawParams = {}
    for name, value in pairs:
        head, _, rest = name.partition("[")
        keys = [head, *(part.removesuffix("]") for part in rest.split("["))] if rest else [name]
        _put(nested, keys, value, name)
    return nested


def _put(into: RawParams, keys: Sequence[str], value: str, name: str) -> None:
    for place, key in enumerate(keys[:-1]):
        step = key or _position(into, keys[place + 1])
        inner = into.setdefault(step, {})
        if not isinstance(inner, dict):
            raise invalid(f"Invalid parameter: {name}", name)
        into = inner
    last = keys[-1] or str(len(into))
    if isinstance(into.get(last), dict):
        raise invalid(f"Invalid parameter: {name}", name)
    into[last] = value


def _position(items: RawParams, key: str) -> str:
    """The position of `[]` before `[key]`: the last item, or a new one if that already has the key."""
    last = str(len(items) - 1)
    inner = items.get(last)
    return last if isinstance(inner, dict) and key not in inner else str(len(items))


def as_list(value: Any) -> list[Any] | None:
    """The items of a list with positions as keys; None for any other value."""
    if isinstance(value, Mapping) and value and all(key.isdigit() for key in value):
        return [value[key] for key in sorted(value, key=int)]
    return None


def check(params: Sequence[Param], given: RawParams, *, clearing: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Validate and convert parameters. ApiError for unknown, missing and invalid ones.

    A cleared value (`""`) becomes None. `clearing` are top-level parameters that may be cleared in addition to
    those of the catalogue.
    """
    return _object(params, given, "", clearing)


def _object(params: Sequence[Param], given: RawParams, path: str, clearing: frozenset[str]) -> dict[str, Any]:
    known = {param.name: param for param in params}
    unknown = [_join(path, name) for name in given if name not in known]
    if unknown:
        plural = "s" if len(unknown) > 1 else ""
        raise invalid(f"Received unknown parameter{plural}: {', '.join(unknown)}", unknown[0], "parameter_unknown")
    for param in params:
        if param.required and param.name not in given:
            name = _join(path, param.name)
            raise invalid(f"Missing required param: {name}.", name, "parameter_missing")
    return {name: _value(known[name], value, _join(path, name), name in clearing) for name, value in given.items()}


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _value(param: Param, value: Any, path: str, clearing: bool) -> Any:
    if value == "" and (param.unset or clearing):
        return None
    failure: ApiError | None = None
    for candidate in (param, *param.alternatives):
        try:
            return _typed(candidate, value, path)
        except ApiError as error:
            nested = isinstance(value, Mapping) == (candidate.type in (ParamType.OBJECT, ParamType.LIST, ParamType.MAP))
            failure = error if failure is None or nested else failure
    assert failure is not None
    raise failure


def _typed(param: Param, value: Any, path: str) -> Any:
    match param.type:
        case ParamType.OBJECT:
            return _object(param.fields, _mapping(value, path), path, frozenset())
        case ParamType.MAP:
            return _map(value, path)
        case ParamType.LIST:
            items = as_list(value)
            if items is None:
                raise invalid("Invalid array", path)
            inner = param.item
            return (
                items if inner is None else [_value(inner, each, f"{path}[{n}]", False) for n, each in enumerate(items)]
            )
        case ParamType.ANY | ParamType.FILE:
            return value
        case _:
            return _scalar(param, value, path)


def _mapping(value: Any, path: str) -> RawParams:
    if not isinstance(value, dict):
        raise invalid("Invalid object", path)
    return value


def _map(value: Any, path: str) -> dict[str, Any]:
    entries = _mapping(value, path)
    if path.endswith(("metadata", "metadata]")):
        check_metadata(entries, path)
    return entries


def check_metadata(entries: Mapping[str, Any], path: str) -> None:
    """ApiError for metadata beyond Stripe's limits on keys and values."""
    for key, value in entries.items():
        if not isinstance(value, str):
            raise invalid("Metadata values must be strings.", f"{path}[{key}]")
        if len(key) > KEY_LIMIT:
            raise invalid(
                f"Metadata keys can have up to {KEY_LIMIT} characters; this one has {len(key)}: {key[:50]}", path
            )
        if len(value) > VALUE_LIMIT:
            message = f"Metadata values can have up to {VALUE_LIMIT} characters; this one has {len(value)}."
            raise invalid(message, f"{path}[{key}]")
    if len(entries) > KEYS_LIMIT:
        raise invalid(f"Metadata can have up to {KEYS_LIMIT} keys; you passed {len(entries)}.", path)


def merge_metadata(old: Mapping[str, str], given: Mapping[str, str] | None) -> dict[str, str]:
    """Metadata after an update: an empty value removes its key, None removes all."""
    if given is None:
        return {}
    merged = {key: value for key, value in {**old, **given}.items() if value != ""}
    if len(merged) > KEYS_LIMIT:
        raise invalid(f"Metadata can have up to {KEYS_LIMIT} keys; this would make {len(merged)}.", "metadata")
    return merged


def _scalar(param: Param, value: Any, path: str) -> Any:
    if not isinstance(value, str):
        raise invalid(f"Invalid {param.type.value}", path)
    if value == "":
        message = f"You passed an empty string for '{path}', which would unset it; '{path}' cannot be unset."
        raise invalid(message, path, "parameter_invalid_empty")
    match param.type:
        case ParamType.INTEGER:
            return to_integer(value, path)
        case ParamType.NUMBER:
            try:
                return float(value)
            except ValueError:
                raise invalid(f"Invalid number: {value}", path) from None
        case ParamType.DECIMAL:
            if not value.removeprefix("-").replace(".", "", 1).isdigit():
                raise invalid(f"Invalid decimal: {value}", path, "parameter_invalid_decimal")
            return value
        case ParamType.BOOLEAN:
            return to_boolean(value, path)
        case ParamType.ENUM:
            check_choice(value, param.values, path)
            return value
        case _:
            return value


def to_integer(value: str, path: str) -> int:
    """Convert an integer. ApiError for any other text."""
    if not value.removeprefix("-").isascii() or not value.removeprefix("-").isdigit():
        raise invalid(f"Invalid integer: {value}", path, "parameter_invalid_integer")
    return int(value)


def to_boolean(value: str, path: str) -> bool:
    """Convert `true` or `false`. ApiError for any other text."""
    if value not in ("true", "false"):
        raise invalid(f"Invalid boolean: {value}", path, "parameter_invalid_boolean")
    return value == "true"


def check_choice(value: str, values: Sequence[str], path: str) -> None:
    """ApiError for a value outside a closed set."""
    if values and value not in values:
        raise invalid(
            f"Invalid {path}: must be one of {', '.join(values[:-1])}{' or ' * (len(values) > 1)}{values[-1]}", path
        )
