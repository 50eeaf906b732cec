"""From what a watcher has seen to the next generation: what is right goes live, what is broken stays as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from engine.diagnostics import CODES, Severity
from engine.graph import Extract

from .components import components
from .generation import Generation, GenerationStore
from .manifest import Manifest

if TYPE_CHECKING:
    from engine.app.check import Checked
    from engine.app.checker import Checker
    from engine.diagnostics import Diagnostic
    from engine.source import Files


@dataclass(frozen=True, slots=True)
class Delta:
    """What a reload means for interfaces: by name, in order."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Reload:
    """How an offer of files ended. `offered` is what was compiled, with all findings; `fresh` are those that the offer
    before did not have, `cleared` those that are gone. `generation` is the live one, which may be the old one."""

    generation: Generation | None
    offered: Checked
    fresh: tuple[Diagnostic, ...]
    cleared: tuple[Diagnostic, ...]
    delta: Delta
    is_new: bool


class Reloader:
    """Holds the live generation. Offers come one after the other; readers may look at `live` at any time."""

    def __init__(self, root: Path, checker: Checker, store: GenerationStore, now: Callable[[], datetime]) -> None:
        self._root = root
        self._checker = checker
        self._store = store
        self._now = now
        self._told: dict[Diagnostic, None] = {}
        self.live: Generation | None = None

    def recover(self) -> Generation | None:
        """Make the last good generation of an earlier process live, as far as there is one and it still compiles."""
        kept = self._store.newest()
        if kept is None:
            return None
        checked = self._checker.check(self._root, kept.files)
        if not checked.has_errors:
            self.live = Generation(kept.number, kept.made, kept.files, checked)
        return self.live

    def offer(self, files: Files) -> Reload:
        """Compile the files. What is right becomes live; what is broken, and what it touches, stays as it was."""
        offered = self._checker.check(self._root, files)
        found = dict.fromkeys(offered.diagnostics)
        fresh = tuple(each for each in found if each not in self._told)
        cleared = tuple(each for each in self._told if each not in found)
        self._told = found
        before = self.live
        merged, held = self._merged(files, offered)
        checked = offered if merged is files else self._checker.check(self._root, merged)
        if checked.has_errors or (before is not None and Manifest.of(merged) == Manifest.of(before.files)):
            return Reload(before, offered, fresh, cleared, Delta(), is_new=False)
        number = before.number + 1 if before is not None else 1
        made = Generation(number, self._now(), merged, checked, held)
        self._store.keep(made)
        self.live = made
        return Reload(made, offered, fresh, cleared, delta_of(before, made), is_new=True)

    def _merged(self, files: Files, offered: Checked) -> tuple[Files, tuple[str, ...]]:
        """The files, with those that are broken or touch what is broken as they are in the live generation."""
        from engine.source import Files

        broken = _broken_files(offered) | files.unread
        if not broken:
            return files, ()
        live = self.live
        if live is None:
            return files, ()
        groups = components(offered, live.checked)
        held = set().union(*(groups.get(name, frozenset({name})) for name in broken))
        raw = {name: value for name, value in files.raw.items() if name not in held}
        raw |= {name: value for name, value in live.files.raw.items() if name in held}
        changed = {name for name in held if raw.get(name) != files.raw.get(name)}
        return Files(dict(sorted(raw.items()))), tuple(sorted(changed))


def _broken_files(checked: Checked) -> set[str]:
    """The files that an error is about."""
    return {
        found.place.file
        for found in checked.diagnostics
        if found.place is not None and CODES[found.code].severity is Severity.ERROR
    }


def delta_of(before: Generation | None, after: Generation) -> Delta:
    """Which interfaces mean something else, are new or are gone. Moving a file or adding a comment changes nothing."""
    if before is None:
        return Delta(added=tuple(after.checked.project.interfaces))
    old, new = parts_of(before.checked), parts_of(after.checked)
    suspects = [name for name, parts in new.items() if name in old and parts != old[name]]
    changed = [name for name in suspects if _meaning(before.checked, name) != _meaning(after.checked, name)]
    return Delta(
        tuple(name for name in new if name not in old),
        tuple(changed),
        tuple(name for name in old if name not in new),
    )


def parts_of(checked: Checked) -> dict[str, tuple[object, ...]]:
    """By interface, all that it is made of. Equal parts mean the same; others may."""
    found: dict[str, list[object]] = {name: [interface.spec] for name, interface in checked.project.interfaces.items()}
    connections = checked.project.connections
    for step in checked.graph.steps:
        if not isinstance(step, Extract) and step.interface in found:
            found[step.interface].append(step)
            names = sorted(
                {read.namespace for read in step.box.bound.reads} | {getattr(step, "connection", None) or ""}
            )
            found[step.interface] += [connections[name].spec for name in names if name in connections]
    return {name: tuple(parts) for name, parts in found.items()}


def _meaning(checked: Checked, name: str) -> tuple[object, ...]:
    """What an interface would do, and when."""
    from engine.app.connectors import installed_connectors
    from engine.plan import plan_graph

    spec = checked.project.interfaces[name].spec
    plan = plan_graph(checked.graph, checked.project, installed_connectors(), (name,))
    return plan.hash, spec.schedule, spec.is_active, spec.triggers, spec.concurrency, spec.timeout
