"""Which files belong together: an edit that breaks one of them holds back those that it touches, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from engine.graph import SCHEMA_NAMESPACE, Extract

if TYPE_CHECKING:
    from engine.app.check import Checked


def components(*checked: Checked) -> Mapping[str, frozenset[str]]:
    """By file, the files that it is connected with through references, itself among them.

    References of all versions count: a file belongs with what it named before and with what it names now.
    """
    leaders: dict[str, str] = {}

    def find(name: str) -> str:
        while leaders.setdefault(name, name) != name:
            leaders[name] = leaders[leaders[name]]
            name = leaders[name]
        return name

    for each in checked:
        for file in (*each.tree.documents, *each.tree.texts):
            find(file)
        for one, other in _edges(each):
            leaders[find(one)] = find(other)
    groups: dict[str, set[str]] = {}
    for name in leaders:
        groups.setdefault(find(name), set()).add(name)
    return {name: frozenset(groups[find(name)]) for name in leaders}


def _edges(checked: Checked) -> Iterable[tuple[str, str]]:
    """(file, file) of everything that names something."""
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
