"""`weir completion`: the script that makes a shell complete verbs and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from engine.cli.group import weir

_WHERE = {
    "bash": 'add to ~/.bashrc: eval "$(weir completion bash)"',
    "zsh": 'add to ~/.zshrc: eval "$(weir completion zsh)"',
    "fish": "write to ~/.config/fish/completions/weir.fish",
}


@click.command("completion")
@click.argument("shell", type=click.Choice(list(_WHERE)))
def command(shell: str) -> None:
    """Print the completion script of SHELL."""
    completer = get_completion_class(shell)
    if completer is None:  # click knows these three
        raise click.UsageError(f"no completion for `{shell}`")
    if shell == "bash":
        # click asks the installed bash for its version when it makes the script; the script itself needs 4.4.
        completer = type("Bash", (completer,), {"_check_version": staticmethod(lambda: None)})
    click.echo(completer(weir, {}, "weir", "_WEIR_COMPLETE").source())
    click.echo(f"# {_WHERE[shell]}", err=True)
