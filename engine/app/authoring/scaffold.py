"""New projects and new definitions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path, PurePosixPath
from typing import Final

from engine.connector.installed import DEFAULT_CONNECTOR
from engine.spec import schema_files

from ..errors import Exit, RefusalError
from ..files import write_whole
from ..workspace import PROJECT_PARTS
from .catalogue import find_connector

NAME: Final = r"[a-z][a-z0-9_]{0,62}"
_TEMPLATES: Final = "engine.app.templates"
_PROJECT: Final[Mapping[str, str]] = {
    "weir.yaml": "settings.tmpl",
    "Makefile": "makefile.tmpl",
    "README.md": "readme.tmpl",
    ".gitignore": "gitignore.tmpl",
    ".vscode/settings.json": "editor.tmpl",
    ".vscode/extensions.json": "extensions.tmpl",
    ".github/workflows/weir.yaml": "workflow.tmpl",
}


def start_project(folder: Path, connector: str = DEFAULT_CONNECTOR) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write a new project into `folder`, which is created, with the connector's example. No file is overwritten.

    Returns the paths that were written and the ones that were there and are kept (a README, a Makefile), relative to
    the folder. RefusalError when there is a project in the folder: its definitions and ours would be mixed;
    and for a connector that does not exist or has no example.
    """

    example = find_connector(connector).starter()
    if not example:
        raise RefusalError(Exit.USAGE, f"the connector `{connector}` has no example", "`weir new` adds definitions")
    connection = next(PurePosixPath(path).stem for path in example if path.startswith("connections/"))
    texts = {path: _template(name).replace("@CONNECTION@", connection) for path, name in _PROJECT.items()}
    texts |= example
    texts |= {f"schemas/{name}": text for name, text in schema_files().items()}
    present = [path for path in PROJECT_PARTS if (folder / path).exists()]
    if present:
        raise RefusalError(
            Exit.USAGE,
            f"`{folder / present[0]}` is there already: this is a project",
            "`weir new` adds to a project; otherwise name a folder that is none",
        )
    kept = tuple(path for path in texts if (folder / path).exists())
    written = tuple(path for path in texts if path not in kept)
    for path in written:
        write_whole(folder / path, texts[path])
    return written, kept


def _template(name: str) -> str:
    return files(_TEMPLATES).joinpath(name).read_text(encoding="utf-8")


def write_definition(root: Path, kind: str, name: str, text: str) -> Path:
    """Write a new definition as `<kind>s/<name>.yaml`. RefusalError when the file is there already."""
    path = root / f"{kind}s" / f"{name}.yaml"
    if path.exists():
        raise RefusalError(Exit.USAGE, f"`{path.relative_to(root)}` is there already", "choose another name")
    write_whole(path, text)
    return path


def connection_text(name: str, connector: str, variable: str, *, sandbox: bool) -> str:
    """A connection that may be read, its key in the environment variable."""
    lines = [
        "# yaml-language-server: $schema=../schemas/connection.schema.json",
        "kind: connection",
        f"name: {name}",
        f"connector: {connector}",
        "is_source: true",
        f"client_secret: {{env: {variable}}}",
    ]
    if sandbox:
        lines += ["# The embedded sandbox. Delete the line to reach the provider itself.", "base_url: sandbox"]
    return "\n".join(lines) + "\n"


def interface_text(name: str, connection: str, table: str, sql: str) -> str:
    """An interface with one import whose columns are mapped by equal names."""
    lines = [
        "# yaml-language-server: $schema=../schemas/interface.schema.json",
        "kind: interface",
        f"name: {name}",
        "steps:",
        "  - name: load",
        "    import:",
        f"      connection: {connection}",
        f"      into: {table}",
        "      action: upsert",
        "      sql: |",
        *(f"        {line}".rstrip() for line in sql.strip().splitlines()),
    ]
    return "\n".join(lines) + "\n"


def schema_text(name: str, columns: Sequence[tuple[str, str]], key: Sequence[str]) -> str:
    """A table with these columns (name, type); the columns of the key are required."""
    lines = ["# yaml-language-server: $schema=./schema.schema.json", "kind: schema", f"name: {name}", "columns:"]
    for column, column_type in columns:
        braced = json.dumps(column_type) if "," in column_type else column_type
        written = f"{{type: {braced}, required: true}}" if column in key else column_type
        lines.append(f"  {_yaml_text(column)}: {written}")
    if key:
        lines.append(f"key: [{', '.join(map(_yaml_text, key))}]")
    return "\n".join(lines) + "\n"


def _yaml_text(name: str) -> str:
    """A name that YAML reads as text."""
    return f'"{name}"' if name in ("null", "true", "false") else name
