"""The group of all verbs: it knows their names and one line about each, and imports a verb only to run it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

import click

from engine.diagnostics.suggest import did_you_mean

from .session import Session

SECTIONS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "Write": {
            "init": "Start a new project: folders, an example, editor and CI files.",
            "new": "Add a connection, an interface or a schema.",
            "catalog": "What a connector can read, and what can be written.",
            "connectors": "The kinds of systems that Weir reaches.",
            "schema": "Write or check the JSON Schemas for editors.",
        },
        "Check": {
            "validate": "Check all definitions; no key, no network.",
            "explain": "What a diagnostic code means.",
            "plan": "What a run would do; no key, no network.",
            "review": "What a change of the definitions exposes, writes and costs.",
            "test": "Run the cases of interfaces; no key, no network.",
            "test-connection": "Reach a provider and say what the key may read.",
            "watch": "Check at every save, and show what it changes.",
            "doctor": "Look at the environment: versions, secrets, state.",
        },
        "Run": {
            "run": "Run interfaces: from the provider to the Schema.",
            "query": "Try a SQL box on a connection, or look at the Schema.",
            "status": "What each mirror holds, and how current it is.",
            "verify": "Compare a mirror with what the provider has.",
            "apply": "Make live what waits in a protected project.",
            "runs": "Past runs, and what each of their steps did.",
            "serve": "Run by schedule and by request, and reload what is edited.",
            "token": "Who may call the API of `weir serve`.",
            "ops": "Writes to providers: what became of each.",
            "sandbox": "Serve a simulated provider on this machine.",
            "completion": "Print the completion script of a shell.",
        },
    }
)
VERBS: Final[Mapping[str, str]] = MappingProxyType(
    {name: line for section in SECTIONS.values() for name, line in section.items()}
)

CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class VerbGroup(click.Group):
    """A group whose verbs are imported on demand, with a did-you-mean for the ones that do not exist."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All verbs in the order in which the help shows them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The verb's command, or None. Imports the verb's module."""
        if cmd_name not in VERBS:
            return None
        module = import_module(f"engine.cli.verbs.{cmd_name.replace('-', '_')}")
        return cast("click.Command", module.command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it, with near names when there is no such verb."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            near = did_you_mean(args[0], VERBS)
            ctx.fail(f"no verb `{args[0]}`" + (f": {near}" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The verbs by section, without importing any."""
        for title, verbs in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl(list(verbs.items()))


def _version(ctx: click.Context, _parameter: click.Parameter, wanted: bool) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    from importlib.metadata import version

    click.echo(f"weir {version('weir')}")
    ctx.exit()


@click.group(cls=VerbGroup, context_settings=CONTEXT, no_args_is_help=False, invoke_without_command=True)
@click.option(
    "--project",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="The project's folder; otherwise the nearest one upwards from here.",
)
@click.option(
    "--color/--no-color", "colour", default=None, help="Colour; otherwise on a terminal unless NO_COLOR is set."
)
@click.option(
    "--log",
    "level",
    envvar="WEIR_LOG",
    type=click.Choice(["debug", "info", "warning"]),
    help="Write logs of this level to stderr: JSON lines unless it is a terminal.",
)
@click.option(
    "-V", "--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="The version."
)
@click.pass_context
def weir(ctx: click.Context, project: Path | None, colour: bool | None, level: str | None) -> None:
    """Weir keeps integrations as files: connections, SQL boxes and canonical tables.

    It checks the definitions, plans what a run would do, and runs it.
    """
    ctx.obj = Session.of(project, colour, os.environ)
    ctx.call_on_close(ctx.obj.close)
    ctx.color = None if ctx.obj.colour is None else ctx.obj.colour
    if level is not None:
        from engine.app.logging import Redactor, configure_logging

        configure_logging(level, Redactor(), as_json=not sys.stderr.isatty())
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def describe_verbs() -> dict[str, Any]:
    """Every verb with its parameters as data; imports all of them (for the reference in the documentation)."""
    context = click.Context(weir, info_name="weir")
    return {name: cast("click.Command", weir.get_command(context, name)).to_info_dict(context) for name in VERBS}
