"""A small project as text: two flows that share a connection, and a third that reads the table of the first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from engine.app.checking.check import Checker
from engine.app.reload.generation import GenerationStore
from engine.app.reload.reloader import Reload, Reloader
from engine.app.workspace import Workspace
from engine.source import Files

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CONNECTION = """\
kind: connection
name: stripe_main
connector: stripe
is_source: true
client_secret: {env: STRIPE_SECRET_KEY}
"""


def table(name: str, more: str = "") -> str:
    """A table with a key, and more columns."""
    return (
        f"kind: schema\nname: {name}\ncolumns:\n  id: {{type: text, required: true}}\n  email: text\n{more}key: [id]\n"
    )


def load(name: str, sql: str = "SELECT id, email FROM customers", into: str = "", more: str = "") -> str:
    """An interface that imports from Stripe."""
    return (
        f"kind: interface\nname: {name}\n{more}steps:\n  - name: load\n    import:\n      connection: stripe_main\n"
        f"      sql: {sql}\n      into: {into or name}\n      map: {{id: id, email: email}}\n"
    )


def derive(name: str, sql: str) -> str:
    """An interface that derives a table from others."""
    return (
        f"kind: interface\nname: {name}\nsteps:\n  - name: derive\n    transform:\n      sql: {sql}\n"
        f"      into: {name}\n      map: auto\n"
    )


BASE: Mapping[str, str] = {
    "connections/stripe.yaml": CONNECTION,
    "interfaces/a.yaml": load("a"),
    "interfaces/b.yaml": load("b"),
    "interfaces/c.yaml": derive("c", "SELECT id, email FROM a WHERE email IS NOT NULL"),
    "schemas/a.yaml": table("a"),
    "schemas/b.yaml": table("b"),
    "schemas/c.yaml": table("c"),
}
BROKEN = load("a", sql="SELECT id, emial AS email FROM customers")


def files_of(texts: Mapping[str, str], unread: tuple[str, ...] = ()) -> Files:
    """The files as the result of a scan."""
    return Files({name: text.encode() for name, text in sorted(texts.items())}, frozenset(unread))


class Project:
    """Files that are edited and offered to a reloader."""

    def __init__(self, reloader: Reloader, texts: Mapping[str, str]) -> None:
        self.reloader = reloader
        self.texts = dict(texts)

    def save(self, **texts: str | None) -> Reload:
        """Write files given as `interfaces__a="…"` (None: delete), and offer all of them."""
        return self.save_files({f"{name.replace('__', '/')}.yaml": text for name, text in texts.items()})

    def save_files(self, texts: Mapping[str, str | None]) -> Reload:
        """Like `save`, with paths."""
        for name, text in texts.items():
            self.texts.pop(name, None)
            if text is not None:
                self.texts[name] = text
        return self.reloader.offer(files_of(self.texts))

    @property
    def live(self) -> dict[str, str]:
        """The files of the live generation."""
        assert self.reloader.live is not None
        return {name: raw.decode() for name, raw in self.reloader.live.files.raw.items()}


@contextmanager
def opened(folder: Path, texts: Mapping[str, str] = BASE, state: str | None = None) -> Iterator[Project]:
    """The project of a process that has recovered and loaded the files."""
    workspace = Workspace.open(folder)
    with Checker(workspace, remembers=True) as checker:
        reloader = Reloader(workspace, checker, GenerationStore(folder / "generations"), lambda: NOW, state)
        reloader.recover()
        project = Project(reloader, texts)
        project.save()
        yield project
