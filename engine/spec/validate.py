"""Checks every definition on its own. Reports all errors; invalid definitions are excluded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from engine.diagnostics import Collector, Diagnostic, Fix, Place, closest, did_you_mean
from engine.source import Document, MappingNode, Node, ScalarNode, SequenceNode, SourceTree

from .case import SuiteSpec
from .connection import ConnectionSpec
from .errors import report_errors
from .interface import InterfaceSpec
from .schema import SchemaSpec
from .secrets import report_secrets
from .settings import SettingsSpec
from .types import Defined, SpecSet

SETTINGS_FILE = "weir.yaml"
MODELS: Mapping[str, type[ConnectionSpec] | type[InterfaceSpec] | type[SchemaSpec]] = {
    "connections": ConnectionSpec,
    "interfaces": InterfaceSpec,
    "schemas": SchemaSpec,
}
KINDS = {"connections": "connection", "interfaces": "interface", "schemas": "schema"}
CASE_KIND = "test"
_HALF_DECIMAL = re.compile(r"decimal\(\s*\d+\s*")
_OTHER_HALF = re.compile(r"\d+\s*\)")
_FULL_WIDTH_COLON = "\N{FULLWIDTH COLON}"
M = TypeVar("M", bound=BaseModel)


@dataclass(slots=True)
class SpecMemory:
    """Caches validated documents, so that only changed documents are validated again."""

    known: dict[str, tuple[Document, BaseModel | None, tuple[Diagnostic, ...]]] = field(default_factory=dict)

    def definition(self, document: Document, collector: Collector) -> BaseModel | None:
        """See `_definition`."""
        found = self.known.get(document.file)
        if found is None or found[0] is not document:
            own = Collector()
            found = self.known[document.file] = (document, _definition(document, own), tuple(own))
        collector.extend(found[2])
        return found[1]

    def forget(self, tree: SourceTree) -> None:
        """Drop documents that are not in this tree."""
        for file in self.known.keys() - tree.documents.keys():
            del self.known[file]


def validate_tree(tree: SourceTree, collector: Collector, memory: SpecMemory | None = None) -> SpecSet:
    """The valid definitions; errors of the others are reported."""
    connections: list[Defined[ConnectionSpec]] = []
    interfaces: list[Defined[InterfaceSpec]] = []
    schemas: list[Defined[SchemaSpec]] = []
    settings = SettingsSpec()
    broken: set[tuple[str, str]] = set()
    leaking = report_secrets(tree, collector)
    for document in tree.documents.values():
        place = Place(document.file)
        if document.file == SETTINGS_FILE:
            settings = _settings(document, collector) or settings
            continue
        spec_found = memory.definition(document, collector) if memory is not None else _definition(document, collector)
        match None if document.file in leaking else spec_found:
            case ConnectionSpec() as spec:
                connections.append(Defined(spec, place))
            case InterfaceSpec() as spec:
                interfaces.append(Defined(spec, place))
            case SchemaSpec() as spec:
                schemas.append(Defined(spec, place))
            case _:
                if not document.file.endswith(".sql"):
                    broken.add((KINDS.get(document.folder, ""), _name_of(document)))
    return SpecSet(tuple(connections), tuple(interfaces), tuple(schemas), settings, frozenset(broken))


def validate_suites(tree: SourceTree, collector: Collector) -> tuple[Defined[SuiteSpec], ...]:
    """The valid files with test cases; errors of the others are reported."""
    found = []
    for document in tree.cases.values():
        root = _root_of(document, CASE_KIND, collector)
        spec = None
        if root is not None and _kind_fits(document, root, CASE_KIND, collector):
            spec = _validated(document, SuiteSpec, collector)
        if spec is not None:
            found.append(Defined(spec, Place(document.file)))
    return tuple(found)


def _settings(document: Document, collector: Collector) -> SettingsSpec | None:
    if document.root is None or (isinstance(document.root, ScalarNode) and document.root.value is None):
        return None
    return _validated(document, SettingsSpec, collector)


def _definition(document: Document, collector: Collector) -> BaseModel | None:
    """The spec of a file, or None after a report."""
    model = MODELS.get(document.folder)
    if model is None:
        return None
    kind = KINDS[document.folder]
    root = _root_of(document, kind, collector)
    fits = root is not None and _kind_fits(document, root, kind, collector)
    return _validated(document, model, collector) if fits else None


def _root_of(document: Document, kind: str, collector: Collector) -> MappingNode | None:
    """The file's mapping, or None after a report."""
    root = document.root
    if root is None or isinstance(root, MappingNode):
        return root
    message = "the file is empty" if isinstance(root, ScalarNode) and root.value is None else "expected a mapping"
    hint = f"start with `kind: {kind}`"
    if isinstance(root, ScalarNode) and _FULL_WIDTH_COLON in str(root.value):
        hint = f"replace the full-width colon `{_FULL_WIDTH_COLON}` with `: `"
    collector.report("E217", message, Place(document.file), hint=hint)
    return None


def _kind_fits(document: Document, root: MappingNode, expected: str, collector: Collector) -> bool:
    entry = root.entries.get("kind")
    if entry is None:
        near = closest("kind", root.entries, 1)
        hint = did_you_mean("kind", root.entries) if near else f"start with `kind: {expected}`"
        collector.report("E205", "missing key `kind`", Place(document.file), hint=hint)
        return False
    if isinstance(entry.node, ScalarNode) and entry.node.value == expected:
        return True
    place = Place(document.file, ("kind",))
    written = entry.node.text if isinstance(entry.node, ScalarNode) else ""
    folder = next((folder for folder, kind in KINDS.items() if kind == written), None)
    hint = f"move the file to `{folder}/`" if folder else did_you_mean(written, [expected])
    if expected == CASE_KIND:
        hint = f"write `{CASE_KIND}`, or rename the file: `*.test.yaml` files hold test cases"
    elif written == CASE_KIND:
        hint = "rename the file to `interfaces/*.test.yaml`: test cases belong there"
    fixes = [Fix(f"write `{expected}`", place, expected)] if folder is None and written != CASE_KIND else []
    where = f"in the folder `{document.folder}`" if expected != CASE_KIND else "in a file `*.test.yaml`"
    message = f"expected `kind: {expected}` {where}"
    collector.report("E205", message, place, hint=hint, fixes=fixes)
    return False


def _validated(document: Document, model: type[M], collector: Collector) -> M | None:
    root, place = document.root, Place(document.file)
    if root is None:
        return None
    try:
        return model.model_validate(_values(root))
    except ValidationError as error:
        before = len(collector)
        errors = error.errors(include_url=False, include_input=False)
        report_errors(errors, model, root, place, collector)
        if len(collector) == before:  # never exclude a definition without a finding
            collector.report("E218", f"not valid: {errors[0]['type']}", place)
        return None


def _values(node: Node) -> Any:
    """Plain values, without the user's own `x-…` keys."""
    match node:
        case ScalarNode():
            return node.value
        case MappingNode():
            return _mapping({key: _values(entry.node) for key, entry in node.entries.items() if key[:2] != "x-"})
        case SequenceNode():
            return [_values(item) for item in node.items]


def _mapping(values: dict[str, Any]) -> dict[str, Any]:
    """Joins a split decimal: a comma within braces ends a value, so `{type: decimal(18,2)}` arrives as two entries."""
    if None not in values.values():
        return values
    for key, following in zip(list(values), list(values)[1:], strict=False):
        half = values.get(key)
        is_split = isinstance(half, str) and _HALF_DECIMAL.fullmatch(half) and _OTHER_HALF.fullmatch(following)
        if is_split and values[following] is None:
            values[key] = f"{half},{following}"
            del values[following]
    return values


def _name_of(document: Document) -> str:
    if isinstance(document.root, MappingNode):
        entry = document.root.entries.get("name")
        if entry is not None and isinstance(entry.node, ScalarNode) and isinstance(entry.node.value, str):
            return entry.node.value
    return document.file.rsplit("/", 1)[-1].split(".", 1)[0]
