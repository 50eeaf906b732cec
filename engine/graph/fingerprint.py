"""What decides what a row that has not changed becomes: hashes of the parts of a step's definition."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict

from engine.relation import Relation

from .types import Box, Import


def fingerprint(step: Import, template: str, values: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """(part, hash) of the box, of how its rows are written, and of the table that they are written to.

    `values` are those of the template's parameters that move only when somebody moves them. The text counts as it was
    written, not as it was rendered: a tracked parameter is another one on each run.
    """
    write = [step.action, step.match, [asdict(column) for column in step.mapping]]
    table = [step.into, step.key, _columns(step.relation)]
    return (("box", _hash(_box(step.box, template, values))), ("write", _hash(write)), ("table", _hash(table)))


def _box(box: Box, template: str, values: Mapping[str, object]) -> list[object]:
    given = {name: repr(value) for name, value in sorted(values.items())}
    return [template.strip(), given, box.scope, _columns(box.bound.relation)]


def _columns(relation: Relation) -> list[object]:
    return [(column.name, str(column.type), column.required) for column in relation]


def _hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
