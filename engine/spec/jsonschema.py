"""The JSON Schemas of the definitions, for editors and for checks outside Weir."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from .base import FREE_PATTERN, Definition
from .case import SuiteSpec
from .connection import ConnectionSpec
from .interface import STEP_KINDS, InterfaceSpec
from .schema import SchemaSpec
from .settings import SettingsSpec

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_MODELS: Final[Mapping[str, type[Definition]]] = {
    "connection": ConnectionSpec,
    "interface": InterfaceSpec,
    "schema": SchemaSpec,
    "test": SuiteSpec,
    "settings": SettingsSpec,
}
_COMMITTED: Final = ("connection", "interface", "schema", "test")
_ONE_BOX: Final = {"oneOf": [{"required": ["sql"]}, {"required": ["sql_file"]}]}
_NOT_TWO_BOXES: Final = {"not": {"required": ["sql", "sql_file"]}}
_HALF_DECIMAL: Final = {"patternProperties": {r"^\d+\s*\)$": {"type": "null"}}}
"""Within braces, YAML reads `decimal(18,2)` as two entries."""

_RULES: Final[Mapping[str, Mapping[str, Any]]] = {
    "SecretSpec": {"oneOf": [{"required": [kind]} for kind in ("env", "file", "keyring", "command")]},
    "StepSpec": {"oneOf": [{"required": [kind]} for kind in STEP_KINDS]},
    "ScheduleSpec": {"oneOf": [{"required": ["every"]}, {"required": ["cron"]}]},
    "MapSpec": {
        "anyOf": [{"required": [key]} for key in ("from", "expr", "default")],
        "not": {"required": ["from", "expr"]},
    },
    "ImportSpec": _NOT_TWO_BOXES,
    "TransformSpec": _ONE_BOX,
    "CallSpec": _ONE_BOX,
    "RespondSpec": _ONE_BOX,
    "ExportSpec": {**_NOT_TWO_BOXES, "anyOf": [{"required": [key]} for key in ("from", "sql", "sql_file")]},
    "ColumnSpec": _HALF_DECIMAL,
    "ParameterSpec": {
        **_HALF_DECIMAL,
        "if": {"properties": {"track": {"const": True}}, "required": ["track"]},
        "then": {"properties": {"type": {"const": "timestamp"}}},
    },
}
"""Rules that the models check in code, as JSON Schema."""


def schema_files() -> Mapping[str, str]:
    """The JSON Schemas (2020-12) by file name, as committed in `schemas/`. Deterministic."""
    return {f"{kind}.schema.json": json.dumps(json_schema(kind), indent=2) + "\n" for kind in _COMMITTED}


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind of definition, or of `settings` (weir.yaml). KeyError for any other."""
    raw = _MODELS[kind].model_json_schema(by_alias=True, mode="validation")
    definitions = {name: _object(name, part) for name, part in sorted(raw.pop("$defs", {}).items())}
    return {
        "$schema": _DIALECT,
        "$id": f"urn:weir:definition:{kind}",
        **_object(_MODELS[kind].__name__, raw),
        "title": f"Weir {kind}",
        "$defs": definitions,
    }


def _object(name: str, raw: dict[str, Any]) -> dict[str, Any]:
    """A model's schema, plus the keys that belong to the user and the rules that its code checks."""
    tidy: dict[str, Any] = _tidy(raw)
    rules = dict(_RULES.get(name, {}))
    patterns = {FREE_PATTERN: True, **rules.pop("patternProperties", {})}
    return {**tidy, "patternProperties": patterns, **rules}


def _tidy(part: Any) -> Any:
    """Without pydantic's titles and null defaults; short unions become a list of types, which editors show best."""
    if isinstance(part, list):
        return [_tidy(item) for item in part]
    if not isinstance(part, dict):
        return part
    found = {}
    for key, value in part.items():
        if key == "title" and isinstance(value, str):
            continue
        if key == "default" and value in (None, {}, []):
            continue
        found[key] = {name: _tidy(item) for name, item in value.items()} if key == "properties" else _tidy(value)
    if "anyOf" in found:
        found = _union(found)
    if set(found.get("patternProperties", ())) and found.get("additionalProperties") is None:
        found["additionalProperties"] = False
        found["patternProperties"] = {FREE_PATTERN: True, **found["patternProperties"]}
    return found


def _union(part: dict[str, Any]) -> dict[str, Any]:
    """`anyOf` of bare types becomes a list of types; `X or null` becomes X with null among its types or values."""
    options = part["anyOf"]
    rest = {key: value for key, value in part.items() if key != "anyOf"}
    if all(set(option) == {"type"} for option in options):
        return {**rest, "type": list(dict.fromkeys(option["type"] for option in options))}
    others = [option for option in options if option != {"type": "null"}]
    if len(others) == 1 and len(options) == 2 and isinstance(others[0].get("type"), str):
        only = dict(others[0])
        only["type"] = [only["type"], "null"]
        if "enum" in only:
            only["enum"] = [*only["enum"], None]
        return {**rest, **only}
    return part
