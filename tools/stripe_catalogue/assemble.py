"""Assembles a `Catalogue` from the SDK's source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from engine.connectors.stripe.catalogue.model import Catalogue, Event, Param, Retrieve, Search
from tools.stripe_catalogue import effects, facts
from tools.stripe_catalogue.events import read_events
from tools.stripe_catalogue.operations import SdkRequest, read_operations
from tools.stripe_catalogue.parameters import PAGING, read_params
from tools.stripe_catalogue.resources import read_resources
from tools.stripe_catalogue.shapes import SdkShapes
from tools.stripe_catalogue.source import PACKAGE, SdkSource
from tools.stripe_catalogue.tables import gather_lists, is_list, read_tables
from tools.stripe_catalogue.writes import read_writes


def build_catalogue(root: Path) -> tuple[Catalogue, dict[str, tuple[Param, ...]]]:
    """The catalogue of the stripe package whose folder is `root`, and the parameters of its writes by their key.

    LookupError for source of an unknown form.
    """
    source = SdkSource(root)
    shapes = SdkShapes(source)
    resources = read_resources(shapes)
    operations = read_operations(shapes)
    events = read_events(shapes, resources)
    lists = gather_lists(shapes, resources, _types_by_resource(events), operations)
    check_facts(frozenset(resources), frozenset(lists.lists))
    tables = read_tables(lists)
    written = read_writes(shapes, operations, tables)
    catalogue = Catalogue(
        api_version=source.constant(f"{PACKAGE}._api_version", "CURRENT"),
        sdk_version=source.constant(f"{PACKAGE}._version", "VERSION"),
        resources=resources,
        tables={name: replace(table, writes=written.owned[name]) for name, table in tables.items()},
        unreadable=dict(sorted(facts.UNREADABLE.items())),
        searches=tuple(_searches(shapes, operations)),
        retrieves=tuple(_retrieves(shapes, operations)),
        writes=written.writes,
        events=events,
    )
    return catalogue, written.params


def _types_by_resource(events: Mapping[str, Event]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name, event in events.items():
        for resource in event.objects:
            found.setdefault(resource, []).append(name)
    return {resource: tuple(names) for resource, names in found.items()}


def _searches(shapes: SdkShapes, operations: Iterable[SdkRequest]) -> Iterable[Search]:
    for each in operations:
        if each.returns is not None and each.returns.kind == "search_result":
            yield Search(each.path, shapes.resources(each.returns.item)[0])


def _retrieves(shapes: SdkShapes, operations: Iterable[SdkRequest]) -> Iterable[Retrieve]:
    for each in operations:
        if each.method != "get" or is_list(each) or (each.returns and each.returns.kind == "search_result"):
            continue
        params = tuple(param.name for param in read_params(shapes, each.params) if param.name not in PAGING)
        yield Retrieve(each.path, shapes.resources(each.returns), params)


def check_facts(resources: frozenset[str], paths: frozenset[str]) -> None:
    """LookupError for a hand-written fact that refers to nothing in the SDK."""
    referenced = {
        *facts.TABLE_NAMES,
        *facts.UNREADABLE,
        *facts.DEFAULTS,
        *facts.FIXED,
        *facts.HIDDEN,
        *facts.CREATED_COLUMNS,
        *facts.PARENT_FIELDS,
        *facts.NOT_EMBEDDED,
        *(path for path, _ in (*facts.QUERY_PARENTS, *facts.NOT_COLUMNS, *facts.LIST_COLUMNS)),
        *(path for path, _ in (*facts.WIDER, *facts.FILTER_VALUES, *facts.PSEUDO_VALUES)),
        *(path for path, _ in facts.QUERY_PARENTS.values()),
        *effects.FULLY_EVENTED,
    }
    known = {*facts.INCLUDABLE, *facts.ID_PREFIXES, *effects.PERMISSIONS, *(name for name, _ in facts.NOT_TIMES)}
    stale = sorted((referenced - paths) | (known - resources))
    if stale:
        raise LookupError(f"hand-written facts refer to what the SDK does not have: {', '.join(stale)}")
