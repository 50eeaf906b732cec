"""Which files belong together: an edit that breaks one of them holds back those that it touches, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from engine.app.checking.check import Checked
from engine.graph import SCHEMA_NAMESPACE, Extract


def components(before: Checked, after: Checked) -> Mapping[str, frozenset[str]]:
    """By file, the files that it is connected with through references, itself among them.

    References of both count: a file belongs with what it named before and with what it names now, and with whatever
    defines the same name. A connection that has not changed connects nothing: nearly all files of a project name one.
    Nor does any connection where nothing was before: no one was reached in another way.
    """
    leaders: dict[str, str] = {}

    def find(name: str) -> str:
        while leaders.setdefault(name, name) != name:
            leaders[name] = leaders[leaders[name]]
            name = leaders[name]
        return name

    common = _unchanged_connections(before, after)
    for each in (before, after):
        for file in (*each.tree.documents, *each.tree.cases, *each.tree.texts):
            find(file)
        for one, other in _edges(each):
            if other not in common:
                leaders[find(one)] = find(other)
    for one, other in _of_one_name(before, after):
        leaders[find(one)] = find(other)
    groups: dict[str, set[str]] = {}
    for name in leaders:
        groups.setdefault(find(name), set()).add(name)
    return {name: frozenset(groups[find(name)]) for name in leaders}


def _unchanged_connections(before: Checked, after: Checked) -> set[str]:
    """The files of connections that say the same in both; all of them when there was nothing before."""
    if not before.tree.documents:
        return {item.place.file for item in after.specs.connections}
    old = {item.place.file: item.spec for item in before.specs.connections}
    return {item.place.file for item in after.specs.connections if old.get(item.place.file) == item.spec}


def _of_one_name(*checked: Checked) -> Iterator[tuple[str, str]]:
    """(file, file) of definitions of one kind that have one name."""
    named: dict[tuple[str, str], list[str]] = {}
    for each in checked:
        specs = each.specs
        found: list[tuple[str, str, str]] = []
        found += [(item.spec.kind, item.spec.name, item.place.file) for item in specs.connections]
        found += [(item.spec.kind, item.spec.name, item.place.file) for item in specs.interfaces]
        found += [(item.spec.kind, item.spec.name, item.place.file) for item in specs.schemas]
        for kind, name, file in found:
            named.setdefault((kind, name), []).append(file)
    for files in named.values():
        yield from pairwise(dict.fromkeys(files))


def _edges(checked: Checked) -> Iterable[tuple[str, str]]:
    """(file, file that it names) of everything that names something."""
    project = checked.project
    for interface in project.interfaces.values():
        own = interface.place.file
        for step in interface.steps:
            for named in (step.connection, step.table, step.source):
                if named is not None:
                    yield own, named.place.file
            if step.box is not None:
                yield own, step.box.place.file
    for node in checked.graph.steps:
        if isinstance(node, Extract) or node.interface not in project.interfaces:
            continue
        own = project.interfaces[node.interface].place.file
        for read in node.box.bound.reads:
            table = project.tables.get(read.need.table) if read.namespace == SCHEMA_NAMESPACE else None
            if table is not None:
                yield own, table.place.file
