"""Event types of the SDK and their objects."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from engine.connectors.stripe.catalogue.model import Event, Resource
from tools.stripe_catalogue.shapes import SdkShapes
from tools.stripe_catalogue.source import PACKAGE, constant_of

_ENDPOINT_PARAMS = f"{PACKAGE}.params._webhook_endpoint_create_params"
_OBJECTS: dict[str, tuple[str, ...]] = {
    "account.application.": ("application",),
    "account.external_account.": ("bank_account", "card"),
    "billing.alert.triggered": ("billing.alert_triggered",),
    "billing.meter.no_meter_found": (),
    "customer.source.": ("account", "bank_account", "card", "source"),
    "source.mandate_notification": ("source_mandate_notification",),
}
"""Objects by prefix of the event type, where the SDK has none and the words of the type mislead."""


def read_events(shapes: SdkShapes, resources: Mapping[str, Resource]) -> dict[str, Event]:
    """Every event type in order: those of webhook endpoints (snapshots) and those of the v2 event classes."""
    related = dict(_related(shapes))
    snapshots = _snapshot_types(shapes)
    by_object = {resource.object: name for name, resource in resources.items() if not name.startswith("v2.")}
    found: dict[str, Event] = {}
    for name in sorted({*snapshots, *related}):
        objects = _known(name)
        if objects is None:
            objects = related.get(name) or _by_words(name, by_object)
        found[name] = Event(tuple(each for each in objects if each in resources), name in snapshots)
    return found


def _snapshot_types(shapes: SdkShapes) -> frozenset[str]:
    module = shapes.source.module(_ENDPOINT_PARAMS)
    cls = module.classes["WebhookEndpointCreateParams"] if module else None
    for node in cls.body if cls else ():
        match node:
            case ast.AnnAssign(target=ast.Name(id="enabled_events")):
                item = shapes.of(node.annotation, _ENDPOINT_PARAMS).item
                return frozenset(item.values if item else ()) - {"*"}
    raise LookupError("the SDK does not list the events of a webhook endpoint")


def _related(shapes: SdkShapes) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Event type → the object that the event class fetches; `v1.` is not part of the name."""
    for module_name in shapes.source.names(containing="LOOKUP_TYPE"):
        module = shapes.source.module(module_name)
        for node in module.classes.values() if module else ():
            name = constant_of(node, "LOOKUP_TYPE")
            if name is None or not node.name.endswith("Notification"):
                continue
            objects: tuple[str, ...] = ()
            for each in node.body:
                if isinstance(each, ast.FunctionDef) and each.name == "fetch_related_object" and each.returns:
                    objects = shapes.resources(shapes.of(each.returns, module_name))
            yield name.removeprefix("v1."), objects


def _known(name: str) -> tuple[str, ...] | None:
    return next((objects for beginning, objects in _OBJECTS.items() if name.startswith(beginning)), None)


def _by_words(name: str, by_object: Mapping[str, str]) -> tuple[str, ...]:
    """The object with the longest name that is a prefix of the type, by whole words."""
    words = name.split(".")[:-1]
    for end in range(len(words), 0, -1):
        found = by_object.get(".".join(words[:end])) or by_object.get("_".join(words[:end]))
        if found is not None:
            return (found,)
    return ()
