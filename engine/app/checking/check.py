"""From a folder to what it means: reading, validating, resolving, compiling. Offline and without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from engine.diagnostics import CODES, Collector, Severity

from ..errors import Exit, RefusalError

if TYPE_CHECKING:
    from engine.diagnostics import Diagnostic
    from engine.graph import Binder, Graph
    from engine.project import Case, Project
    from engine.source import SourceTree
    from engine.spec import SpecSet


PROJECT_PARTS = ("connections", "interfaces", "schemas", "weir.yaml")


@dataclass(frozen=True, slots=True)
class Checked:
    """All that is known of a project offline. With errors among the diagnostics the broken items are left out."""

    tree: SourceTree
    specs: SpecSet
    project: Project
    graph: Graph
    diagnostics: tuple[Diagnostic, ...]
    cases: tuple[Case, ...] = ()
    """The cases of interfaces that are right: none until they were checked (`check_cases`)."""

    @property
    def is_sound(self) -> bool:
        """Whether no finding about a definition is an error: what is wrong with cases stops nothing but `weir test`."""
        from engine.source import is_case

        errors = [found for found in self.diagnostics if CODES[found.code].severity is Severity.ERROR]
        return all(found.place is not None and is_case(found.place.file) for found in errors)

    @property
    def has_errors(self) -> bool:
        """Whether any finding is an error."""
        return any(CODES[found.code].severity is Severity.ERROR for found in self.diagnostics)


class DefinitionsError(RefusalError):
    """The definitions are wrong: the findings say where."""

    def __init__(self, checked: Checked, what: str = "the definitions are wrong") -> None:
        super().__init__(Exit.DEFINITIONS, what, "mend what is listed above")
        self.checked = checked


def check_project(
    root: Path,
    parameters: Mapping[str, str] | None = None,
    tracked: Mapping[tuple[str, str], str] | None = None,
    interfaces: Sequence[str] = (),
    made: Binder | None = None,
) -> Checked:
    """Read and check everything below `root`. Mistakes become diagnostics; RefusalError if there is no project.

    `parameters` are values for interface parameters, by name, as they were typed; they win over `tracked` ones, which
    the last successful run left behind. They are for the interfaces that are named, or for all without names. A binder
    that was `made` before is used, where the caller binds more with it.
    """
    from engine.project import resolve_specs
    from engine.source import load_root
    from engine.spec import validate_tree

    from ..connectors import installed_connectors
    from .compile import compile_sound, given_parameters

    demand_project(root)
    collector = Collector()
    tree = load_root(root, collector)
    specs = validate_tree(tree, collector)
    project = resolve_specs(specs, tree, installed_connectors(), collector)
    by_hand = given_parameters(project, parameters or {}, interfaces)
    graph = compile_sound(project, {**(tracked or {}), **by_hand}, collector, frozenset(by_hand), made)
    return Checked(tree, specs, project, graph, tuple(collector))


def check_cases(checked: Checked) -> Checked:
    """The same with the cases of its interfaces, and with what is wrong with those."""
    from engine.graph import Respond
    from engine.project import resolve_cases
    from engine.spec import validate_suites

    from ..connectors import installed_connectors

    if not checked.tree.cases:
        return checked
    collector = Collector()
    suites = validate_suites(checked.tree, collector)
    answers = {step.interface: step.box.bound.relation for step in checked.graph.steps if isinstance(step, Respond)}
    cases = resolve_cases(
        suites, checked.specs, checked.project, checked.tree, installed_connectors(), answers, collector
    )
    return replace(checked, diagnostics=(*checked.diagnostics, *collector), cases=cases)


def demand_sound(checked: Checked) -> Checked:
    """The same, or DefinitionsError when it has errors: nothing is planned or run from definitions that are wrong."""
    if not checked.is_sound:
        raise DefinitionsError(checked)
    return checked


def demand_project(root: Path) -> None:
    """RefusalError unless the folder looks like a project."""
    if not any((root / name).exists() for name in PROJECT_PARTS):
        raise RefusalError(
            Exit.DEFINITIONS,
            f"no project here: `{root}` has no connections, interfaces or schemas",
            "`weir init DIR` starts one; `--project DIR` names another folder",
        )
