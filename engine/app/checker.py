"""Checking a project again and again: only what has changed is read, validated and bound anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from engine.diagnostics import Collector

from .check import Checked
from .compile import catalogues_of, given_parameters
from .connectors import installed_connectors

if TYPE_CHECKING:
    from engine.duck import DuckBinder
    from engine.graph import BindMemory
    from engine.source import Files, ReadMemory
    from engine.spec import SpecMemory


class Checker:
    """Use as a context. Not for several threads at once. An edit of one file among many costs about one file."""

    def __init__(self) -> None:
        from engine.duck import DuckBinder
        from engine.graph import BindMemory
        from engine.source import ReadMemory
        from engine.spec import SpecMemory

        self._binder: DuckBinder = DuckBinder()
        self._bound: BindMemory = BindMemory(self._binder)
        self._read: ReadMemory = ReadMemory()
        self._specs: SpecMemory = SpecMemory()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(Exception):
            self._binder.close()

    def check(
        self,
        root: Path,
        files: Files,
        parameters: Mapping[str, str] | None = None,
        tracked: Mapping[tuple[str, str], str] | None = None,
        interfaces: Sequence[str] = (),
    ) -> Checked:
        """What these files mean; see `check.check_project` for the rest. RefusalError for an unknown parameter."""
        from engine.graph import compile_project
        from engine.project import resolve_specs
        from engine.source import read_tree
        from engine.spec import validate_tree

        collector = Collector()
        tree = read_tree(root, files, collector, self._read)
        specs = validate_tree(tree, collector, self._specs)
        project = resolve_specs(specs, tree, installed_connectors(), collector)
        by_hand = given_parameters(project, parameters or {}, interfaces)
        given = {**(tracked or {}), **by_hand}
        catalogues = catalogues_of(project)
        graph = compile_project(project, catalogues, self._bound, given, collector, frozenset(by_hand))
        return Checked(tree, specs, project, graph, tuple(collector))
