"""Reviewing a change: the project as it is, beside what it was where the change began."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from engine.connector import Mirror
from engine.diagnostics import CODES, Severity
from engine.plan import plan_graph
from engine.report.findings.located import Located, locate_all
from engine.review import NewFinding, Review, Side, compare
from engine.source import read_files

from ..checking.check import Checked, Checker
from ..errors import Exit, RefusalError
from ..git import GitError, demand_commit, merge_base, write_tree
from ..running.plan import known_now, order_of
from ..workspace import PROJECT_PARTS, Workspace

_LOOKED_AT: Final = 100
"""The newest runs, among which the last one of each step is sought."""


def review_project(workspace: Workspace, revision: str) -> tuple[Checked, Review]:
    """What has changed in the project's folder since it parted from `revision`: needs no key and no network.

    RefusalError when there is no project, or Git does not know the revision. What is wrong with the definitions is a
    part of the review, as far as it is new.
    """

    workspace.demand_project()
    commit = _base(workspace.root, revision)
    with tempfile.TemporaryDirectory() as scratch, Checker(workspace, remembers=True) as checker:
        folder = Path(scratch)
        try:
            write_tree(workspace.root, commit, PROJECT_PARTS, folder)
        except GitError as error:
            raise RefusalError(Exit.ENVIRONMENT, f"Git cannot give what was there: {error}") from None
        before = checker.check(read_files(folder), root=folder)
        after = checker.check()
        review = compare(_side(workspace, before), _side(workspace, after), commit)
        fresh, fixed = _findings(before, after)
    return after, replace(review, findings=fresh, fixed=fixed)


def _base(root: Path, revision: str) -> str:
    try:
        demand_commit(root)
    except GitError as error:
        hint = "`git init` and a first commit make something to compare with"
        raise RefusalError(Exit.ENVIRONMENT, f"there is no commit to compare with: {error}", hint) from None
    try:
        return merge_base(root, revision)
    except GitError:
        raise RefusalError(
            Exit.USAGE,
            f"Git knows no commit `{revision}` from which HEAD comes",
            "fetch it with its history (`git fetch origin`; in CI a checkout of full depth), or name another one",
        ) from None


def _side(workspace: Workspace, checked: Checked) -> Side:

    known = known_now(workspace, checked)
    plan = plan_graph(checked.graph, checked.project, workspace.connectors, order_of(checked), known)
    rows = {name: _rows(own) for name, own in known.mirrors.items()}
    return Side(checked.project, checked.graph, plan, rows, _written(workspace), _broken(checked))


def _broken(checked: Checked) -> frozenset[str]:
    """The files in which something is wrong."""
    places = (each.place for each in checked.diagnostics if CODES[each.code].severity is Severity.ERROR)
    return frozenset(place.file for place in places if place is not None)


def _written(workspace: Workspace) -> Mapping[str, int]:
    """By step, how many writes its last successful run made."""
    if not workspace.has_runs:
        return {}
    found: dict[str, int] = {}
    store = workspace.runs()
    for run in store.runs(_LOOKED_AT):
        known = store.run(run.id) if run.status == "succeeded" else None
        for step in known[1] if known is not None else ():
            if "writes" in step.counts:
                found.setdefault(step.step, step.counts["writes"])
    return found


def _rows(mirrors: Sequence[Mirror]) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for mirror in mirrors:
        found.update(mirror.rows)
    return found


def _findings(before: Checked, after: Checked) -> tuple[tuple[NewFinding, ...], int]:
    """The new findings, and the number of findings that were fixed. A finding whose line only moved is not new."""

    was_there = before.tree.documents or before.tree.unread  # otherwise all that was wrong is that there was nothing
    old = Counter(_identity(each) for each in locate_all(before.diagnostics if was_there else (), before.tree))
    fresh = []
    for each in locate_all(after.diagnostics, after.tree):
        if old[_identity(each)]:
            old[_identity(each)] -= 1
        else:
            fresh.append(NewFinding(each.code, str(each.severity), each.where, each.message, each.hint))
    return tuple(fresh), old.total()


def _identity(found: Located) -> tuple[str, str, str]:
    return found.code, found.message, found.region.file if found.region is not None else ""
