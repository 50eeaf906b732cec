"""The generated reference pages: from the models, the codes and the operations of the API."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from engine.diagnostics import CODES
from engine.spec import json_schema
from tools.docs.api_reference import api_page
from tools.docs.boxes_page import boxes_page

_GENERATED: Final = "<!-- Generated from the code by `make generated`; edits here are lost. -->\n"
_KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "connection": ("Connections", "`connections/*.yaml`: systems to read from and write to."),
    "interface": ("Interfaces", "`interfaces/*.yaml`: steps between connections and the Schema."),
    "schema": ("Schemas", "`schemas/*.yaml`: the canonical tables, one a file. The Schema is the set of them."),
    "test": (
        "Cases",
        "`interfaces/*.test.yaml`: cases of an interface, which `weir test` runs offline.",
    ),
    "settings": ("Settings", "`weir.yaml`: settings of the project. The file and each of its keys are optional."),
}
_RULES: Final = """\
# The definition language

Definitions are YAML files, one object a file, in the folders `connections/`, `interfaces/` and `schemas/` (folders in
them are read too; files whose names begin with a dot are not). [`diagnostics.md`](diagnostics.md) lists the possible
findings, [`boxes.md`](boxes.md) what a SQL box sees, [`templates.md`](templates.md) what may stand between `{{`
and `}}` in it.

- YAML is read as YAML 1.2: `no`, `on` and `yes` are texts, `010` is ten, only `true` and `false` are booleans. Files
  are UTF-8 and at most 1 MiB. Tags, merge keys (`<<`) and a second document in a file are refused; anchors and aliases
  work.
- Unknown keys are errors. `x-…` (at any level) and `meta` are yours: Weir ignores them. Rows of cases are
  data: in them every key is a column.
- A **name** is lower_snake: it starts with a letter and has at most 63 letters, digits and underscores.
- A **duration** is a whole number with a unit: `500ms`, `30s`, `15m`, `2h`, `1d`.
- A **type** is `text`, `integer` (64 bits), `decimal(p,s)` (up to 38 digits), `float`, `boolean`, `date`, `timestamp`
  (UTC, microseconds) or `json`, or a list of one of these: `text[]` (in quotes within braces).
- A **secret** is never written down: `client_secret` takes a reference, and anything in a file that looks like a key is
  an error.

The first line of a definition points editors to its JSON Schema (`weir schema` writes them):

```yaml
# yaml-language-server: $schema=../schemas/connection.schema.json
```
"""


def reference_files() -> Mapping[str, str]:
    """The generated pages of `docs/reference/` by file name. Deterministic."""
    return {
        "language.md": language_page(),
        "boxes.md": boxes_page(_GENERATED),
        "diagnostics.md": diagnostics_page(),
        "api.md": api_page(_GENERATED),
    }


def language_page() -> str:
    """Every kind of definition with the type, default, meaning and an example of every key."""
    parts = [_GENERATED, _RULES]
    for kind, (title, sentence) in _KINDS.items():
        schema = json_schema(kind)
        parts.append(f"## {title}\n\n{sentence}\n\n{_table(schema, kind)}")
        for name in _in_order(schema):
            part = schema["$defs"][name]
            parts.append(f"### {kind}: {_word(name)}\n\n{part['description']}\n\n{_table(part, kind)}")
    return "\n".join(parts)


def diagnostics_page() -> str:
    """Every code with its page, by stage."""
    parts = [
        _GENERATED,
        "# Diagnostics\n\nEvery finding has a code; `weir explain CODE` prints its page. `E` is an error, `W` a "
        "warning. A code never changes its meaning.\n",
        "| code | meaning |\n|---|---|\n"
        + "".join(f"| [{code.id}](#{code.id.lower()}) | {code.title} |\n" for code in CODES.values()),
    ]
    parts += [
        f'## <a id="{code.id.lower()}"></a>{code.id}: {code.title}\n\n{code.page.strip()}\n' for code in CODES.values()
    ]
    return "\n".join(parts)


def _in_order(schema: Mapping[str, Any]) -> list[str]:
    """The parts in order of first reference."""
    found: list[str] = []
    waiting = list(_references(schema["properties"]))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting += _references(schema["$defs"][name]["properties"])
    return found


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        if "$ref" in part:
            yield _target(part)
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _target(part: Mapping[str, Any]) -> str:
    return str(part["$ref"]).rsplit("/", 1)[-1]


def _word(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name.removesuffix("Spec")).lower()


def _table(part: Mapping[str, Any], kind: str) -> str:
    required = set(part.get("required", ()))
    rows = ["| key | takes | default | meaning |", "|---|---|---|---|"]
    for key, field in part["properties"].items():
        default = "**required**" if key in required else _default(field)
        meaning = field.get("description") or ("The kind of definition." if key == "kind" else "")
        if examples := field.get("examples"):
            meaning += f" Example: `{json.dumps(examples[0], ensure_ascii=False)}`."
        rows.append(f"| `{key}` | {_cell(_takes(field))} | {default} | {_cell(meaning.strip())} |")
    return "\n".join(rows).replace("(#", f"(#{kind}-") + "\n"


def _default(field: Mapping[str, Any]) -> str:
    return f"`{json.dumps(field['default'])}`" if "default" in field else ""


def _takes(field: Mapping[str, Any]) -> str:
    """The accepted values, in words."""
    if "$ref" in field:
        word = _word(_target(field))
        return f"[{word}](#{word.replace(' ', '-')})"
    if "const" in field:
        return f"`{json.dumps(field['const'])}`" if not isinstance(field["const"], str) else f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{word}`" for word in field["enum"] if word is not None)
    if "anyOf" in field:
        options = [_takes(option) for option in field["anyOf"] if option != {"type": "null"}]
        return " or ".join(dict.fromkeys(options))
    kinds = field.get("type", "anything")
    words = [_of_type(kind, field) for kind in ([kinds] if isinstance(kinds, str) else kinds) if kind != "null"]
    return " or ".join(dict.fromkeys(words)) or "anything"


def _of_type(kind: str, field: Mapping[str, Any]) -> str:
    if kind == "array":
        items = field.get("items") or {}
        return f"list of {_takes(items)}" if items else "list"
    if kind == "object":
        values = next(
            (value for pattern, value in field.get("patternProperties", {}).items() if pattern != "^x-"),
            field.get("additionalProperties"),
        )
        return f"mapping to {_takes(values)}" if isinstance(values, Mapping) else "mapping"
    if kind == "string":
        return _text(field)
    bounds = [
        f"{sign} {field[key]:,}"
        for key, sign in (("exclusiveMinimum", ">"), ("minimum", "≥"), ("maximum", "≤"))
        if key in field
    ]
    word = {"integer": "whole number", "number": "number", "boolean": "boolean"}.get(kind, kind)
    return f"{word} {', '.join(bounds)}".strip()


def _text(field: Mapping[str, Any]) -> str:
    pattern = str(field.get("pattern", ""))
    if field.get("contentMediaType") == "application/sql":
        return "SQL"
    for start, word in (("^[a-z][a-z0-9_]{", "name"), ("^0*[1-9]", "duration"), ("^(text|", "type")):
        if pattern.startswith(start):
            return word
    return "text"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
