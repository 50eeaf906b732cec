"""Which cases a command means."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase

from engine.app.errors import Exit, RefusalError
from engine.diagnostics import did_you_mean
from engine.project import Case, Project

SEPARATOR = "::"


def select_cases(cases: Sequence[Case], patterns: Sequence[str], project: Project) -> list[Case]:
    """The cases that the names and globs mean (interfaces, or `interface::case`), in their order; all without patterns.

    RefusalError for a pattern that means neither a case nor an interface.
    """
    chosen: dict[str, None] = {}
    for pattern in patterns:
        interface, separator, name = pattern.partition(SEPARATOR)
        meant = [
            case
            for case in cases
            if fnmatchcase(case.interface, interface) and (not separator or fnmatchcase(case.name, name))
        ]
        if not meant and (separator or not any(fnmatchcase(each, interface) for each in project.interfaces)):
            raise _unknown(pattern, cases, project)
        chosen |= dict.fromkeys(case.label for case in meant)
    return [case for case in cases if not patterns or case.label in chosen]


def _unknown(pattern: str, cases: Sequence[Case], project: Project) -> RefusalError:
    if SEPARATOR in pattern:
        known = [case.label for case in cases]
        return RefusalError(Exit.USAGE, f"no case `{pattern}`", did_you_mean(pattern, known) or _listed(known))
    names = list(project.interfaces)
    return RefusalError(Exit.USAGE, f"no interface `{pattern}`", did_you_mean(pattern, names) or _listed(names))


def _listed(names: Sequence[str]) -> str:
    return f"there is {', '.join(f'`{name}`' for name in names[:20]) or 'none'}"
