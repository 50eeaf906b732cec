"""A case, from what it gives to the result."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from engine import duck
from engine.app.checking.check import Checked, Checker, DefinitionsError, check_cases
from engine.app.errors import RefusalError
from engine.app.running.plan import plan_checked
from engine.app.running.world import GivenRows, Kept, RunOptions, opened_world
from engine.app.workspace import Workspace
from engine.cases import CaseResult, Difference, Found, compare
from engine.diagnostics import CODES, Severity
from engine.graph import Respond
from engine.plan import Plan
from engine.project import Case, Project
from engine.run import Run, World, execute_plan
from engine.source import Files, read_files

from .given import nothing_to_read, stage_rows
from .select import select_cases


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of a project that were chosen, ready to be run one after the other."""

    workspace: Workspace
    checked: Checked
    chosen: tuple[Case, ...]
    files: Files
    checker: Checker
    kept: Kept
    """What runs keep beside rows, for all cases: they are only planned, so that none leaves anything to the next."""

    def run(self, case: Case, options: RunOptions) -> CaseResult:
        """Run one case. Nothing is reached, nothing outlives it."""

        begun = time.monotonic()
        try:
            checked = _awake(self._with_parameters(case), case)
            with tempfile.TemporaryDirectory(prefix="weir-test-") as folder:
                differences = self._differences(self.workspace.with_state(Path(folder)), checked, case, options)
        except RefusalError as error:
            differences = ()
            if case.expected.fails is None or case.expected.fails not in error.message:
                differences = (Difference("run", "failure", got=f"cannot be planned: {error.message}"),)
        return CaseResult(case, differences, time.monotonic() - begun)

    def _with_parameters(self, case: Case) -> Checked:
        """The project as it means with the parameters of the case. RefusalError when a value does not fit."""
        if not case.parameters:
            return self.checked
        given = {f"{case.interface}.{name}": value for name, value in case.parameters.items()}
        checked = self.checker.check(self.files, given)
        for found in checked.diagnostics:
            if CODES[found.code].severity is Severity.ERROR:
                raise DefinitionsError(checked, f"{found.message} ({found.code})")
        return checked

    def _differences(
        self, workspace: Workspace, checked: Checked, case: Case, options: RunOptions
    ) -> tuple[Difference, ...]:
        """Plan and execute what the case means in a folder of its own, and compare."""

        plan = plan_checked(workspace, checked, [case.interface])
        given = tuple(GivenRows(name, rows) for name, rows in case.tables.items())
        options = replace(options, only_plan=True, recorded=False, rows=given)
        workspace.paths.prepare()
        outside = stage_rows(case, plan, checked.catalogues, workspace.paths)
        with opened_world(workspace, checked, plan, options, outside, self.kept) as world:
            run = execute_plan(plan, replace(world, refresh=nothing_to_read), lambda _event: None)
            keys = {name: table.key for name, table in checked.project.tables.items()}
            values = _Values(checked.project, case, workspace.paths.scratch / "values", world, run, plan)
            return compare(case.interface, case.expected, Found(run, keys, values.table, values.respond))


@contextmanager
def opened_cases(workspace: Workspace, patterns: Sequence[str]) -> Iterator[Cases]:
    """The cases that the patterns mean, of a project that is right: they share a binder and what was compiled.

    DefinitionsError when definitions or cases are wrong, RefusalError for a pattern that means nothing.
    """

    workspace.demand_project()
    files = read_files(workspace.root)
    with ExitStack() as stack:
        checker = stack.enter_context(Checker(workspace, remembers=True))
        checked = check_cases(workspace, checker.check(files))
        if checked.has_errors:
            raise DefinitionsError(checked, "the definitions or their cases are wrong")
        chosen = tuple(select_cases(checked.cases, patterns, checked.project))
        yield Cases(workspace, checked, chosen, files, checker, _kept(stack, workspace))


def run_cases(
    cases: Cases, options: RunOptions, report: Callable[[CaseResult], None], *, fail_fast: bool = False
) -> tuple[CaseResult, ...]:
    """Run all that were chosen, telling of each as it ends; with `fail_fast`, up to the first that fails."""
    results: list[CaseResult] = []
    for case in cases.chosen:
        if options.cancelled.is_set():
            break
        result = cases.run(case, options)
        if options.cancelled.is_set():
            break
        results.append(result)
        report(result)
        if fail_fast and not result.passed:
            break
    return tuple(results)


def _kept(stack: ExitStack, workspace: Workspace) -> Kept:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="weir-test-")))
    own = stack.enter_context(workspace.with_state(folder))
    runs = own.runs()
    return Kept(runs, runs, own.ledger())


def _awake(checked: Checked, case: Case) -> Checked:
    """The project with everything active: a case is run as well where schedules leave its interface out."""
    project = checked.project
    connections = {
        name: replace(each, spec=each.spec.model_copy(update={"is_active": True}))
        for name, each in project.connections.items()
    }
    own = project.interfaces[case.interface]
    interfaces = {
        **project.interfaces,
        own.name: replace(own, spec=own.spec.model_copy(update={"is_active": True})),
    }
    return replace(checked, project=replace(project, connections=connections, interfaces=interfaces))


@dataclass(frozen=True, slots=True)
class _Values:
    """Rows that the case expects beside those that its run has left behind."""

    project: Project
    case: Case
    spill: Path
    world: World
    run: Run
    plan: Plan

    def table(self, name: str) -> tuple[Sequence[duck.ValueRow], Sequence[duck.ValueRow]]:
        """Those of a table of the Schema."""

        relation = self.project.tables[name].relation
        expected = duck.typed_values(relation, self.case.expected.tables[name], self.spill)
        return expected, duck.stored_values(self.world.tables.path, name, relation, self.spill)

    def respond(self) -> tuple[Sequence[duck.ValueRow], Sequence[duck.ValueRow]]:
        """Those of the answer: the last one, and none where the run ended before it."""

        steps = [task.step for task in self.plan.tasks if isinstance(task.step, Respond)]
        step = steps[-1]
        relation = step.box.bound.relation
        expected = duck.typed_values(relation, self.case.expected.respond or (), self.spill)
        outcome = self.run.outcome(step.id)
        if outcome is None or outcome.response is None:
            return expected, []
        return expected, duck.stored_values(outcome.response, "result", relation, self.spill)
