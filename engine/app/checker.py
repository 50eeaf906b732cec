"""Checking a project again and again: only what has changed is read, validated and bound anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from engine.diagnostics import Collector

from .checking.check import Checked
from .checking.compile import catalogues_of, given_parameters
from .connectors import installed_connectors

if TYPE_CHECKING:
    from engine.duck import DuckBinder
    from engine.graph import BindMemory
    from engine.source import Files, ReadMemory, SourceTree
    from engine.spec import SpecMemory

_REMEMBERED: Final = 8
"""Checks for which a box is remembered that none of them has: what an edit breaks is mostly mended by the next ones."""

_WORN: Final = 100
"""Checks after which the binder is a new one: it never lets go of a table or a box."""


class Checker:
    """Use as a context. Not for several threads at once. An edit of one file among many costs about one file, and what
    no file says any more is forgotten."""

    def __init__(self) -> None:
        from engine.duck import DuckBinder
        from engine.graph import BindMemory
        from engine.source import ReadMemory
        from engine.spec import SpecMemory

        self._binder: DuckBinder = DuckBinder()
        self._bound: BindMemory = BindMemory(self._binder)
        self._read: ReadMemory = ReadMemory()
        self._specs: SpecMemory = SpecMemory()
        self._checks = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the memory. The checker cannot be used afterwards."""
        with suppress(Exception):
            self._binder.close()

    def _forget(self, tree: SourceTree, files: Files) -> None:
        """Let go of what is not needed any more."""
        from engine.duck import DuckBinder

        self._read.forget(files)
        self._specs.forget(tree)
        self._bound.forget(_REMEMBERED)
        self._checks += 1
        if self._checks % _WORN == 0:
            self.close()
            self._binder = self._bound.binder = DuckBinder()

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
        self._forget(tree, files)
        return Checked(tree, specs, project, graph, tuple(collector))
