"""The project that a verb works on: its folder, settings and state, its stores, and the connectors that are installed.

A verb opens it once, hands it down, and closes it at the end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final, Protocol, Self, TypeVar, cast

from engine import plan as plans
from engine import project as projects
from engine import run, source, spec, stores
from engine.connector import Connector, SourceCatalogue
from engine.connector.installed import installed_connectors
from engine.diagnostics import Collector

from .errors import Exit, RefusalError
from .state import StatePaths, utc_now

PROJECT_PARTS: Final = ("connections", "interfaces", "schemas", "weir.yaml")
SETTINGS: Final = "weir.yaml"


class _Store(Protocol):
    def close(self) -> None: ...


_Opened = TypeVar("_Opened", bound=_Store)


class Workspace:
    """The project at `root`. Use as a context, or close it. For several threads.

    What is derived from the folder is derived once, when it is first asked for: it needs neither a `weir.yaml` nor
    state. Stores stay open until the workspace is closed.
    """

    def __init__(self, root: Path, paths: StatePaths | None = None) -> None:
        self.root = root
        self._paths = paths
        self._stores: dict[type[_Store], _Store] = {}
        self._opening = threading.RLock()

    @classmethod
    def open(cls, root: Path) -> Self:
        """The workspace of the project in a folder. RefusalError is left to `demand_project`."""
        return cls(root)

    def with_state(self, folder: Path) -> Workspace:
        """The same project with its state in another folder, to be closed on its own."""
        return Workspace(self.root, StatePaths(folder))

    @contextmanager
    def aside(self) -> Iterator[Workspace]:
        """The same project with a state of its own, which is gone afterwards."""
        with self.paths.temporary() as folder, self.with_state(folder) as own:
            yield own

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the stores. A store that is asked for afterwards is opened again."""
        with self._opening:
            while self._stores:
                self._stores.popitem()[1].close()

    def demand_project(self) -> None:
        """RefusalError unless the folder looks like a project."""
        if not any((self.root / name).exists() for name in PROJECT_PARTS):
            raise RefusalError(
                Exit.DEFINITIONS,
                f"no project here: `{self.root}` has no connections, interfaces or schemas",
                "`weir init DIR` starts one; `--project DIR` names another folder",
            )

    @cached_property
    def settings(self) -> spec.SettingsSpec:
        """The settings in weir.yaml, or the defaults where it is missing or wrong (`weir validate` reports what)."""
        file = self.root / SETTINGS
        if not file.is_file():
            return spec.SettingsSpec()
        collector = Collector()
        document = source.read_yaml(file.name, file.read_text(encoding="utf-8", errors="replace"), collector)
        return spec.validate_tree(source.SourceTree(self.root, {file.name: document}), collector).settings

    @cached_property
    def paths(self) -> StatePaths:
        """The files of the project's state. They need not exist."""
        return self._paths or StatePaths((self.root / self.settings.state).resolve())

    @property
    def connectors(self) -> Mapping[str, Connector]:
        """The installed connectors by name."""
        return installed_connectors()

    def catalogues(self, project: projects.Project) -> dict[str, SourceCatalogue]:
        """The catalogue of each connection, at its API version. Connections whose connector or version is unknown are
        skipped: that is reported where they are resolved."""
        found = {}
        for connection in project.connections.values():
            connector = self.connectors.get(connection.spec.connector)
            if connector is None:
                continue
            try:
                found[connection.name] = connector.catalogue(connection.spec.api_version)
            except KeyError:
                continue
        return found

    @property
    def has_runs(self) -> bool:
        """Whether there is run state: looking at it would otherwise make it."""
        return self.paths.runs.exists()

    def runs(self) -> stores.SqlRunStore:
        """The run state, in which runs whose process has died are marked as abandoned. RefusalError when it cannot be
        opened."""
        store = self._store(stores.SqlRunStore, stores.open_run_store)
        store.abandon_dead_runs(utc_now())
        return store

    def serving(self) -> stores.SqlServingStore:
        """Due times and tokens. RefusalError when they cannot be opened."""
        return self._store(stores.SqlServingStore, stores.open_serving_store)

    def ledger(self) -> stores.SqlWriteLedger:
        """The ledger of writes. StoreError when it is first used and cannot be opened."""
        return self._store(stores.SqlWriteLedger, stores.open_write_ledger)

    def tracked(self) -> Mapping[tuple[str, str], str]:
        """The values of tracked parameters after the last successful runs, by (interface, parameter)."""
        return dict(self.runs().tracked()) if self.has_runs else {}

    def budgets(self, plan: plans.Plan) -> tuple[plans.ReadBudget, ...]:
        """The read budgets of the plan's connections, with what was read before. Makes no state where there is none."""
        if all(settings.read_budget is None for settings in plan.connections):
            return ()
        return plans.read_budgets(plan, self.runs().reads_since(run.first_day(utc_now())) if self.has_runs else {})

    def demand_budget(self, plan: plans.Plan) -> None:
        """RefusalError (Exit.APPROVAL) when a run of the plan would pass a read budget."""
        for budget in self.budgets(plan):
            if budget.is_exceeded:
                estimate = "more" if budget.estimate is None else f"about {budget.estimate:,} more"
                raise RefusalError(
                    Exit.APPROVAL,
                    f"this would pass the read budget of `{budget.connection}`: {budget.used:,} of {budget.budget:,} "
                    f"requests in {plans.BUDGET_DAYS} days are used, and {estimate} would be made (E627)",
                    run.BUDGET_HINT,
                )

    def _store(self, kind: type[_Opened], opened: Callable[[Path], _Opened]) -> _Opened:
        with self._opening:
            if kind not in self._stores:
                self.paths.prepare()
                try:
                    self._stores[kind] = opened(self.paths.runs)
                except run.StoreError as error:
                    raise RefusalError(Exit.ENVIRONMENT, error.message, error.hint) from None
            return cast("_Opened", self._stores[kind])
