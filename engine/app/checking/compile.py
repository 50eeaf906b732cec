"""Compiling a project with what is installed: connectors' catalogues and the DuckDB binder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..connectors import installed_connectors

if TYPE_CHECKING:
    from engine.connector import SourceCatalogue
    from engine.diagnostics import Collector
    from engine.graph import Binder, Graph
    from engine.project import Project


def catalogues_of(project: Project) -> dict[str, SourceCatalogue]:
    """The catalogue of each connection, at the API version that it names. Connections whose connector or version is
    unknown are left out: that was reported where they are resolved."""
    connectors = installed_connectors()
    found = {}
    for connection in project.connections.values():
        connector = connectors.get(connection.spec.connector)
        if connector is None:
            continue
        try:
            found[connection.name] = connector.catalogue(connection.spec.api_version)
        except KeyError:
            continue
    return found


@contextmanager
def binder() -> Iterator[Binder]:
    """A binder, closed at the end."""
    from engine.duck import DuckBinder

    made = DuckBinder()
    try:
        yield made
    finally:
        made.close()


def compile_sound(
    project: Project,
    given: Mapping[tuple[str, str], str],
    collector: Collector,
    by_hand: frozenset[tuple[str, str]] = frozenset(),
    made: Binder | None = None,
    catalogues: Mapping[str, SourceCatalogue] | None = None,
) -> Graph:
    """The graph of everything in the project that is right; what is wrong becomes findings. See `compile_project`.

    `catalogues` are those of the connections, unless others are given.
    """
    from engine.graph import compile_project

    with binder() if made is None else nullcontext(made) as used:
        return compile_project(project, catalogues or catalogues_of(project), used, given, collector, by_hand)


def given_parameters(
    project: Project, values: Mapping[str, str], interfaces: Sequence[str] = ()
) -> dict[tuple[str, str], str]:
    """Values from the command line, for each interface that has a parameter of that name.

    `NAME=value` means all of them, or those that `interfaces` (names or globs) mean; `interface.NAME=value` means one.
    RefusalError for a name that none of them has.
    """
    from engine.diagnostics import did_you_mean

    from ..errors import Exit, RefusalError

    known = {
        (interface.name, name)
        for interface in project.interfaces.values()
        for name in interface.spec.parameters
        if not interfaces or any(fnmatchcase(interface.name, pattern) for pattern in interfaces)
    }
    given: dict[tuple[str, str], str] = {}
    for name, value in values.items():
        owner, dot, parameter = name.rpartition(".")
        meant = [pair for pair in sorted(known) if pair[1] == parameter and (not dot or pair[0] == owner)]
        if not meant:
            hint = did_you_mean(name, [pair[1] for pair in known]) or "`parameters:` of an interface declares them"
            raise RefusalError(Exit.USAGE, f"no interface of this run has a parameter `{name}`", hint)
        given |= dict.fromkeys(meant, value)
    return given
