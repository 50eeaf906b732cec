"""The effect of an upgraded API version of a connection on the SQL boxes of the project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from engine.connector import SourceCatalogue, SourceTable, VersionMove
from engine.diagnostics import CODES, Collector, Severity
from engine.plan import AffectedQuery, affected_queries

from ..checking.check import Checked, Checker, given_parameters
from ..running.plan import known_now
from ..workspace import Workspace


def affected_now(
    workspace: Workspace, checked: Checked, interfaces: Sequence[str], parameters: Mapping[str, str]
) -> tuple[AffectedQuery, ...]:
    """The boxes of these interfaces (names or globs; all if empty) that read a column which differs from the API
    version of the mirror. Also works for a project with errors, because the upgrade may have caused them."""

    mirrors = known_now(workspace, checked).mirrors
    moves = {name: {t: m for each in own for t, m in each.moves.items()} for name, own in mirrors.items()}
    moves = {name: own for name, own in moves.items() if own}
    if not moves:
        return ()
    catalogues = {name: _before(each, moves.get(name, {})) for name, each in checked.catalogues.items()}
    by_hand = given_parameters(checked.project, parameters, interfaces)
    given = {**workspace.tracked(), **by_hand}
    collector = Collector()
    with Checker(workspace) as checker:
        before = checker.compile(checked.project, catalogues, given, frozenset(by_hand), collector)
    known = {(each.code, each.message, each.place) for each in collector}
    errors = [
        each
        for each in checked.diagnostics
        if CODES[each.code].severity is Severity.ERROR and (each.code, each.message, each.place) not in known
    ]
    found = affected_queries(before, checked.graph, moves, errors, lambda place: checked.tree.locate(place).start_line)
    return tuple(
        box for box in found if not interfaces or any(fnmatchcase(box.interface, pattern) for pattern in interfaces)
    )


def _before(catalogue: SourceCatalogue, moves: Mapping[str, VersionMove]) -> SourceCatalogue:
    """The catalogue with the affected tables as before the upgrade."""

    tables: dict[str, SourceTable] = dict(catalogue.tables)
    for name, move in moves.items():
        known = tables.get(name, SourceTable(name, move.relation, (), "", {}))
        tables[name] = replace(known, relation=move.relation)
    return replace(catalogue, tables=tables)
