"""What all verbs share: the project's folder, colour, the environment."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from engine.app.workspace import Workspace

MARKS = ("weir.yaml", "connections", "interfaces", "schemas")
_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass
class Session:
    """The settings that come before the verb. `colour` is None where the terminal decides."""

    project: Path | None
    colour: bool | None
    environment: Mapping[str, str]

    @classmethod
    def of(cls, project: Path | None, colour: bool | None, environment: Mapping[str, str]) -> Session:
        """From the options; NO_COLOR (not empty) or a dumb terminal turns colour off unless `--color` is given."""
        if colour is None and (environment.get("NO_COLOR") or environment.get("TERM") == "dumb"):
            colour = False
        return cls(project, colour, environment)

    @property
    def root(self) -> Path:
        """The project's folder: the one that was named, or the nearest upwards that looks like one, or this one."""
        if self.project is not None:
            if not self.project.is_dir():
                raise click.UsageError(f"no folder `{self.project}`")
            return self.project.resolve()
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / MARKS[0]).is_file() or sum((folder / mark).is_dir() for mark in MARKS[1:]) >= 2:
                return folder
        return here

    @cached_property
    def workspace(self) -> Workspace:
        """The project that the verb works on, open until the session is closed."""
        from engine.app.workspace import Workspace

        return Workspace.open(self.root)

    def close(self) -> None:
        """Close what the verb has opened."""
        if "workspace" in self.__dict__:
            self.workspace.close()

    @property
    def coloured(self) -> bool:
        """Whether stdout gets colours."""
        return sys.stdout.isatty() if self.colour is None else self.colour

    @property
    def width(self) -> int | None:
        """How many columns the terminal has; None when stdout is no terminal."""
        return get_terminal_size().columns if sys.stdout.isatty() else None

    @property
    def talkative(self) -> bool:
        """Whether a person watches stderr: progress bars and questions make sense."""
        return sys.stderr.isatty() and self.colour is not False

    @property
    def in_ci(self) -> bool:
        """Whether a CI system runs us."""
        return self.environment.get("CI", "").lower() not in ("", "0", "false")


pass_session = click.make_pass_decorator(Session)


def project_option(function: _Function) -> _Function:
    """Let `--project` and `--no-color` stand after the verb too."""

    def set_project(ctx: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
        if value is not None:
            ctx.ensure_object(Session).project = value

    def set_colour(ctx: click.Context, _parameter: click.Parameter, value: bool | None) -> None:
        if value is not None:
            ctx.ensure_object(Session).colour = value
            ctx.color = value

    function = click.option(
        "--project",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        expose_value=False,
        callback=set_project,
        help="The project's folder.",
    )(function)
    return click.option(
        "--color/--no-color", default=None, expose_value=False, callback=set_colour, help="Colour, or none."
    )(function)


def parameter_values(pairs: tuple[str, ...]) -> dict[str, str]:
    """`("since=2024-01-01",)` as a mapping; a usage error for anything else."""
    values: dict[str, str] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name.strip():
            raise click.UsageError(f"`--param {pair}`: expected NAME=VALUE")
        if name.strip() in values:
            raise click.UsageError(f"`--param {name.strip()}` is given twice")
        values[name.strip()] = value
    return values
