"""From what a watcher has seen to the next generation: what is right goes live, what is broken stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from engine.app.checking.check import Checked, Checker
from engine.app.logging import log
from engine.app.workspace import Workspace
from engine.connector import Connector
from engine.diagnostics import CODES, Diagnostic, Severity
from engine.graph import Extract
from engine.plan import plan_graph
from engine.review import risks_of
from engine.source import Files

from .components import components
from .generation import Generation, GenerationStore, Pending
from .manifest import Manifest

SETTINGS: Final = "weir.yaml"


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
    before did not have, `cleared` those that are gone. `generation` is the live one, which may be the old one. `fixed`
    are settings that have been changed and cannot change while a process works: weir.yaml stays as it was."""

    generation: Generation | None
    offered: Checked
    fresh: tuple[Diagnostic, ...]
    cleared: tuple[Diagnostic, ...]
    delta: Delta
    is_new: bool
    fixed: tuple[str, ...] = ()
    pending: Pending | None = None
    """What waits to be applied by its hash: the project is protected."""


class Reloader:
    """Holds the live generation. Offers come one after the other; readers may look at `live` at any time.

    `state` is the state folder that this process works with; without it, that of the first generation.
    """

    def __init__(
        self,
        workspace: Workspace,
        checker: Checker,
        store: GenerationStore,
        now: Callable[[], datetime],
        state: str | None = None,
    ) -> None:
        self._workspace = workspace
        self._checker = checker
        self._store = store
        self._now = now
        self._state = state
        self._told: dict[Diagnostic, None] = {}
        self._number = 0
        self._nothing: tuple[Files, Checked] | None = None
        self.live: Generation | None = None
        self.pending: Pending | None = None

    def recover(self) -> Generation | None:
        """Make the last good generation of an earlier process live, as far as there is one and it still compiles."""
        kept = self._store.newest()
        if kept is None:
            return None
        self._number = kept.number
        checked = self._checker.check(kept.files)
        if not checked.has_errors and self._state in {None, checked.project.settings.state}:
            self._begin(Generation(kept.number, kept.made, kept.files, checked))
        return self.live

    def offer(self, files: Files) -> Reload:
        """Compile the files. What is right becomes live; what is broken, and what it touches, stays as it was."""
        offered = self._checker.check(files)
        found = dict.fromkeys(offered.diagnostics)
        fresh = tuple(each for each in found if each not in self._told)
        cleared = tuple(each for each in self._told if each not in found)
        self._told = found
        before = self.live
        fixed = self._fixed(offered)
        merged, checked = self._sound(files, offered, {SETTINGS} if fixed else set())
        is_same = before is not None and Manifest.of(merged) == Manifest.of(before.files)
        if is_same:
            self._hold(None)
        if checked.has_errors or is_same or (before is None and (fixed or _is_hollow(files, merged, checked))):
            return Reload(before, offered, fresh, cleared, Delta(), is_new=False, fixed=fixed)
        pending = self._pending_of(merged, checked)
        if pending is not None:
            return Reload(before, offered, fresh, cleared, Delta(), is_new=False, fixed=fixed, pending=pending)
        held = () if merged is files else Manifest.of(merged).changed(Manifest.of(files))
        number = self._number + 1
        made = Generation(number, self._now(), merged, checked, held)
        try:
            self._store.keep(made)
        except OSError as error:  # it is live all the same: only a restart would not find it
            log("generation not kept", generation=number, reason=error.strerror or "no reason given")
        self._begin(made)
        return Reload(
            made, offered, fresh, cleared, delta_of(before, made, self._workspace.connectors), is_new=True, fixed=fixed
        )

    def _pending_of(self, files: Files, checked: Checked) -> Pending | None:
        """What must be applied by its hash, because the live generation is protected and somebody has to look."""
        before, digest, found = self.live, Manifest.of(files).digest, None
        if before is not None and before.checked.project.settings.policy.protected:
            live = before.checked
            found_risks = risks_of((live.project, live.graph), (checked.project, checked.graph))
            risks = tuple(risk.text for risk in found_risks)
            if risks and not self._store.is_approved(digest):
                found = Pending(digest, risks, self._now())
        self._hold(found)
        return found

    def _hold(self, pending: Pending | None) -> None:
        self.pending = pending
        self._store.hold(pending)

    def is_applied(self) -> bool:
        """Whether what was pending may become live now: offer the files again."""
        return self.pending is not None and self._store.is_approved(self.pending.digest)

    def _begin(self, made: Generation) -> None:
        self.live = made
        self.pending = None
        self._number = made.number
        if self._state is None:
            self._state = made.checked.project.settings.state

    def _fixed(self, offered: Checked) -> tuple[str, ...]:
        """The settings that the files would change and that cannot change any more."""
        is_read = SETTINGS not in {*_broken_files(offered), *offered.tree.unread}
        moved = is_read and self._state not in {None, offered.project.settings.state}
        return ("state",) if moved else ()

    def _sound(self, files: Files, offered: Checked, held: set[str]) -> tuple[Files, Checked]:
        """The files, with those that are broken or touch what is broken as they are in the live generation; as long as
        there is none, without them.

        To hold a file back may break another one, which is held back then, too. What is still broken when all that is
        connected is held is broken by the settings, or else nothing becomes live.
        """
        merged, checked = files, offered
        if not (checked.has_errors or files.unread or held):
            return merged, checked
        live, before = self._before()
        while checked.has_errors or files.unread - held or (merged is files and held):
            wider = _widened(_broken_files(checked) | files.unread | held, components(before, checked))
            if checked is not offered:
                wider = _widened(wider, components(before, offered))
            if wider == held and merged is not files:
                if SETTINGS in held:
                    break
                wider = held | {SETTINGS}
            held = wider
            merged = _merged(files, live, held)
            checked = self._checker.check(merged)
        return merged, checked

    def _before(self) -> tuple[Files, Checked]:
        """The live files and what they mean: none, as long as nothing is live."""

        if self.live is not None:
            return self.live.files, self.live.checked
        if self._nothing is None:  # once: the checker forgets what the files that it is given do not say
            self._nothing = Files({}), self._checker.check(Files({}))
        return self._nothing


def _is_hollow(files: Files, merged: Files, checked: Checked) -> bool:
    """Whether what is left of a project that is not live yet is nothing to begin with: without its settings, which say
    how much may be read and written, or without any interface."""
    return merged is not files and (
        (SETTINGS in files.raw and SETTINGS not in merged.raw) or not checked.project.interfaces
    )


def _widened(names: set[str], groups: Mapping[str, frozenset[str]]) -> set[str]:
    """The files of these names, of the folders of these names, and those that are connected with them."""
    below = tuple(f"{name}/" for name in names)
    named = names | {file for file in groups if file.startswith(below)}
    return named.union(*(groups.get(name, frozenset()) for name in named))


def _merged(files: Files, live: Files, held: set[str]) -> Files:
    """The files, with those that are held as they are live. What was new is left out then."""

    raw = {name: value for name, value in files.raw.items() if name not in held}
    raw |= {name: value for name, value in live.raw.items() if name in held}
    return Files(dict(sorted(raw.items())))


def _broken_files(checked: Checked) -> set[str]:
    """The files that an error is about."""
    return {
        found.place.file
        for found in checked.diagnostics
        if found.place is not None and CODES[found.code].severity is Severity.ERROR
    }


def delta_of(before: Generation | None, after: Generation, connectors: Mapping[str, Connector]) -> Delta:
    """Which interfaces mean something else, are new or are gone. Moving a file or adding a comment changes nothing."""
    if before is None:
        return Delta(added=tuple(after.checked.project.interfaces))
    old, new = parts_of(before.checked), parts_of(after.checked)
    suspects = [name for name, parts in new.items() if name in old and parts != old[name]]
    changed = [
        name
        for name in suspects
        if _meaning(before.checked, name, connectors) != _meaning(after.checked, name, connectors)
    ]
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


def _meaning(checked: Checked, name: str, connectors: Mapping[str, Connector]) -> tuple[object, ...]:
    """What an interface would do, and when."""

    spec = checked.project.interfaces[name].spec
    plan = plan_graph(checked.graph, checked.project, connectors, (name,))
    parameters = [(key, each.type, each.default, each.track) for key, each in spec.parameters.items()]
    when = (spec.schedule, spec.is_active, spec.triggers, spec.concurrency, spec.timeout, spec.retry)
    return plan.hash, parameters, *when
