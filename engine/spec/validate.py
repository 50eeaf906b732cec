"""Checks every definition by itself. Collects everything; what is broken is set aside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from engine.diagnostics import Collector, Fix, Place, closest, did_you_mean
from engine.source import Document, MappingNode, Node, ScalarNode, SequenceNode, SourceTree

from .connection import ConnectionSpec
from .errors import report_errors
from .interface import InterfaceSpec
from .schema import SchemaSpec
from .secrets import secret_spans
from .settings import SettingsSpec
from .types import Defined, SpecSet

SETTINGS_FILE = "weir.yaml"
MODELS: Mapping[str, type[ConnectionSpec] | type[InterfaceSpec] | type[SchemaSpec]] = {
    "connections": ConnectionSpec,
    "interfaces": InterfaceSpec,
    "schemas": SchemaSpec,
}
KINDS = {"connections": "connection", "interfaces": "interface", "schemas": "schema"}
M = TypeVar("M", bound=BaseModel)


def validate_tree(tree: SourceTree, collector: Collector) -> SpecSet:
    """The definitions that are valid by themselves, and findings for those that are not."""
    connections: list[Defined[ConnectionSpec]] = []
    interfaces: list[Defined[InterfaceSpec]] = []
    schemas: list[Defined[SchemaSpec]] = []
    settings = SettingsSpec()
    broken: set[tuple[str, str]] = set()
    for document in tree.documents.values():
        place = Place(document.file)
        if document.file == SETTINGS_FILE:
            settings = _settings(document, collector) or settings
            continue
        match _definition(document, collector):
            case ConnectionSpec() as spec:
                connections.append(Defined(spec, place))
            case InterfaceSpec() as spec:
                interfaces.append(Defined(spec, place))
            case SchemaSpec() as spec:
                schemas.append(Defined(spec, place))
            case _:
                broken.add((KINDS.get(document.folder, ""), _name_of(document)))
    return SpecSet(tuple(connections), tuple(interfaces), tuple(schemas), settings, frozenset(broken))


def _settings(document: Document, collector: Collector) -> SettingsSpec | None:
    if document.root is None or (isinstance(document.root, ScalarNode) and document.root.value is None):
        return None
    return _validated(document, SettingsSpec, collector)


def _definition(document: Document, collector: Collector) -> BaseModel | None:
    """The spec that a file holds, or None after saying why not."""
    model = MODELS.get(document.folder)
    if model is None or document.root is None:
        return None
    root, place = document.root, Place(document.file)
    if not isinstance(root, MappingNode):
        message = "the file is empty" if isinstance(root, ScalarNode) and root.value is None else "expected a mapping"
        collector.report("E217", message, place, hint=f"begin with `kind: {KINDS[document.folder]}`")
        return None
    return _validated(document, model, collector) if _kind_fits(document, root, collector) else None


def _kind_fits(document: Document, root: MappingNode, collector: Collector) -> bool:
    expected = KINDS[document.folder]
    entry = root.entries.get("kind")
    if entry is None:
        near = closest("kind", root.entries, 1)
        hint = did_you_mean("kind", root.entries) if near else f"begin with `kind: {expected}`"
        collector.report("E205", "missing key `kind`", Place(document.file), hint=hint)
        return False
    if isinstance(entry.node, ScalarNode) and entry.node.value == expected:
        return True
    place = Place(document.file, ("kind",))
    written = entry.node.text if isinstance(entry.node, ScalarNode) else ""
    folder = next((folder for folder, kind in KINDS.items() if kind == written), None)
    hint = f"move the file to `{folder}/`" if folder else did_you_mean(written, [expected])
    fixes = [Fix(f"write `{expected}`", place, expected)] if folder is None else []
    message = f"expected `kind: {expected}` in the folder `{document.folder}`"
    collector.report("E205", message, place, hint=hint, fixes=fixes)
    return False


def _validated(document: Document, model: type[M], collector: Collector) -> M | None:
    root, place = document.root, Place(document.file)
    if root is None:
        return None
    leaked = _report_secrets(root, place, collector)
    try:
        spec = model.model_validate(_values(root))
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        report_errors(errors, model, root, place, collector)
        return None
    return None if leaked else spec


def _report_secrets(root: Node, place: Place, collector: Collector) -> bool:
    """Keys in any text; a literal `client_secret` is reported by the model."""
    found = False
    for route, span in secret_spans(root):
        if route == ("client_secret",):
            continue
        found = True
        hint = "take it out, write a reference such as `{env: STRIPE_SECRET_KEY}`, and roll the key"
        collector.report("E207", "this looks like a key", place.at(*route).within(*span), hint=hint)
    return found


def _values(node: Node) -> Any:
    """Plain values, without the user's own `x-…` keys."""
    match node:
        case ScalarNode():
            return node.value
        case MappingNode():
            return {key: _values(entry.node) for key, entry in node.entries.items() if not key.startswith("x-")}
        case SequenceNode():
            return [_values(item) for item in node.items]


def _name_of(document: Document) -> str:
    if isinstance(document.root, MappingNode):
        entry = document.root.entries.get("name")
        if entry is not None and isinstance(entry.node, ScalarNode) and isinstance(entry.node.value, str):
            return entry.node.value
    return document.file.rsplit("/", 1)[-1].split(".", 1)[0]
