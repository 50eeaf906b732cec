"""From a folder to what it means: reading, validating, resolving, compiling. Offline and without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final, Self

from engine import duck
from engine.connector import SourceCatalogue
from engine.diagnostics import CODES, Collector, Diagnostic, Severity, did_you_mean
from engine.graph import Binder, BindMemory, Boxes, Graph, Respond, compile_project
from engine.project import Case, Project, resolve_cases, resolve_specs
from engine.source import Files, ReadMemory, SourceTree, is_case, read_files, read_tree
from engine.spec import SpecMemory, SpecSet, validate_suites, validate_tree

from ..errors import Exit, RefusalError
from ..workspace import Workspace

_REMEMBERED: Final = 8
"""Checks for which a box is remembered that none of them has: what an edit breaks is mostly fixed by the next ones."""

_WORN: Final = 100
"""Checks after which the binder is a new one: it never lets go of a table or a box."""


@dataclass(frozen=True, slots=True)
class Checked:
    """All that is known of a project offline. With errors among the diagnostics the broken items are skipped."""

    tree: SourceTree
    specs: SpecSet
    project: Project
    graph: Graph
    diagnostics: tuple[Diagnostic, ...]
    catalogues: Mapping[str, SourceCatalogue]
    """By connection, at the API version that it names; connections that are wrong have none."""
    cases: tuple[Case, ...] = ()
    """The cases of interfaces that are right: none until they were checked (`check_cases`)."""

    @property
    def is_sound(self) -> bool:
        """Whether no finding about a definition is an error: what is wrong with cases stops nothing but `weir test`."""
        errors = [found for found in self.diagnostics if CODES[found.code].severity is Severity.ERROR]
        return all(found.place is not None and is_case(found.place.file) for found in errors)

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error."""
        return any(CODES[found.code].severity is Severity.ERROR for found in self.diagnostics)


class DefinitionsError(RefusalError):
    """The definitions are wrong: the findings show where."""

    def __init__(self, checked: Checked, what: str = "the definitions are wrong") -> None:
        super().__init__(Exit.DEFINITIONS, what, "fix what is listed above")
        self.checked = checked


@dataclass(slots=True)
class _Memory:
    """What a checker that is used repeatedly keeps between two checks."""

    bound: BindMemory
    read: ReadMemory
    specs: SpecMemory
    checks: int = 0


class Checker:
    """Checks the definitions of a workspace. Use as a context, or close it. Not for several threads at once.

    With `remembers`, an edit of one file among many costs about one file at the next check, and what no file has any
    more is forgotten.
    """

    def __init__(self, workspace: Workspace, *, remembers: bool = False) -> None:
        self._workspace = workspace
        self._duck = duck.DuckBinder()
        self._memory = _Memory(BindMemory(self._duck), ReadMemory(), SpecMemory()) if remembers else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Release the memory. The checker cannot be used afterwards."""
        with suppress(Exception):
            self._duck.close()

    @property
    def binder(self) -> Binder:
        """What binds SQL boxes."""
        return self._memory.bound if self._memory is not None else self._duck

    def check(
        self,
        files: Files | None = None,
        parameters: Mapping[str, str] | None = None,
        tracked: Mapping[tuple[str, str], str] | None = None,
        interfaces: Sequence[str] = (),
        root: Path | None = None,
    ) -> Checked:
        """What files mean: those of the project as they are now, or others, which stand at `root` if not there.
        Mistakes become diagnostics.

        `parameters` are values for interface parameters, by name, as they were typed; they win over `tracked` ones,
        which the last successful run left behind. They are for the interfaces that are named, or for all without names.
        RefusalError for an unknown parameter.
        """
        collector, memory = Collector(), self._memory
        root = root or self._workspace.root
        files = files if files is not None else read_files(root)
        tree = read_tree(root, files, collector, memory.read if memory is not None else None)
        specs = validate_tree(tree, collector, memory.specs if memory is not None else None)
        project = resolve_specs(specs, tree, self._workspace.connectors, collector)
        by_hand = given_parameters(project, parameters or {}, interfaces)
        catalogues = self._workspace.catalogues(project)
        graph = self.compile(project, catalogues, {**(tracked or {}), **by_hand}, frozenset(by_hand), collector)
        self._forget(tree, files)
        return Checked(tree, specs, project, graph, tuple(collector), catalogues)

    def compile(
        self,
        project: Project,
        catalogues: Mapping[str, SourceCatalogue],
        given: Mapping[tuple[str, str], str],
        by_hand: frozenset[tuple[str, str]],
        collector: Collector,
    ) -> Graph:
        """The graph of everything in the project that is right. What is wrong becomes findings."""
        return compile_project(project, catalogues, self.binder, given, collector, by_hand)

    def boxes(self, checked: Checked, collector: Collector) -> Boxes:
        """The compiler of single SQL boxes of a project that was checked."""
        return Boxes(checked.project, checked.catalogues, self.binder, collector)

    def _forget(self, tree: SourceTree, files: Files) -> None:
        """Let go of what is not needed any more."""
        memory = self._memory
        if memory is None:
            return
        memory.read.forget(files)
        memory.specs.forget(tree)
        memory.bound.forget(_REMEMBERED)
        memory.checks += 1
        if memory.checks % _WORN == 0:
            self.close()
            self._duck = memory.bound.binder = duck.DuckBinder()


def check_project(
    workspace: Workspace,
    parameters: Mapping[str, str] | None = None,
    tracked: Mapping[tuple[str, str], str] | None = None,
    interfaces: Sequence[str] = (),
) -> Checked:
    """Check the project once; see `Checker.check`. RefusalError if there is no project, too."""
    workspace.demand_project()
    with Checker(workspace) as checker:
        return checker.check(None, parameters, tracked, interfaces)


def check_cases(workspace: Workspace, checked: Checked) -> Checked:
    """The same with the cases of its interfaces, and with what is wrong with those."""
    if not checked.tree.cases:
        return checked
    collector = Collector()
    suites = validate_suites(checked.tree, collector)
    answers = {step.interface: step.box.bound.relation for step in checked.graph.steps if isinstance(step, Respond)}
    cases = resolve_cases(
        suites, checked.specs, checked.project, checked.tree, workspace.connectors, answers, collector
    )
    return replace(checked, diagnostics=(*checked.diagnostics, *collector), cases=cases)


def check_sound(workspace: Workspace, parameters: Mapping[str, str], interfaces: Sequence[str]) -> Checked:
    """Check what is to be planned, with what the last runs left behind. See `Checker.check`.

    DefinitionsError when it has errors: nothing is planned or run from definitions that are wrong.
    """
    checked = check_project(workspace, parameters, workspace.tracked(), interfaces)
    if not checked.is_sound:
        raise DefinitionsError(checked)
    return checked


def given_parameters(
    project: Project, values: Mapping[str, str], interfaces: Sequence[str] = ()
) -> dict[tuple[str, str], str]:
    """Values from the command line, for each interface that has a parameter of that name.

    `NAME=value` means all of them, or those that `interfaces` (names or globs) mean; `interface.NAME=value` means one.
    RefusalError for a name that none of them has.
    """
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
