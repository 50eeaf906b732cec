"""Hashes of the parts of a step's definition that determine the result for an unchanged row."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict

from engine.relation import Relation

from .types import Box, Import


def fingerprint(step: Import, template: str, values: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    """(part, hash) of the box, of how its rows are written, and of the table that they are written to.

    `values` are the template's parameters that no run advances. The hash covers the template, not the rendered text,
    because a tracked parameter differs in each run.
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
