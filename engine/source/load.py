"""Read a project's folder: the only place that opens definition files."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from engine.diagnostics import Collector, Diagnostic, Place

from .text import decode
from .tree import SourceTree
from .types import Document
from .yaml import read_yaml

FOLDERS: Final = ("connections", "interfaces", "schemas")
SETTINGS: Final = "weir.yaml"
MAX_BYTES: Final = 1024 * 1024
_YAML: Final = (".yaml", ".yml")
_CASES: Final = (".test.yaml", ".test.yml")
_SQL: Final = ".sql"
_MAX_FOLDER_DEPTH: Final = 16


def load_root(root: Path, collector: Collector) -> SourceTree:
    """Read `connections/`, `interfaces/`, `schemas/` (with nested folders) and `weir.yaml` below `root`.

    Hidden files and folders are skipped, and so are files of other types. What cannot be read is reported and listed in
    `SourceTree.unread`. Never raises for the content of the folder.
    """
    return read_tree(root, read_files(root), collector)


@dataclass(frozen=True, slots=True)
class Files:
    """The bytes of a project's files, by path relative to the root, in order of path; the existing files and folders
    that could not be read, and the findings that explain why."""

    raw: Mapping[str, bytes]
    unread: frozenset[str] = frozenset()
    findings: tuple[Diagnostic, ...] = ()


def read_files(root: Path) -> Files:
    """The files below `root` that `load_root` would read, as bytes."""
    return _Loader(root).read()


@dataclass(slots=True)
class ReadMemory:
    """Caches parsed files by their bytes, so that only changed files are parsed again."""

    known: dict[str, tuple[bytes, Parsed]] = field(default_factory=dict)

    def parsed(self, file: str, raw: bytes) -> Parsed:
        """The parsed file, from the cache if its bytes are unchanged."""
        found = self.known.get(file)
        if found is None or found[0] != raw:
            found = self.known[file] = (raw, parse(file, raw))
        return found[1]

    def forget(self, files: Files) -> None:
        """Drop files that are not among these."""
        for file in self.known.keys() - files.raw.keys():
            del self.known[file]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed file: a document, or the text of a SQL file, with its findings."""

    document: Document | None
    text: str | None
    findings: tuple[Diagnostic, ...]


def parse(file: str, raw: bytes) -> Parsed:
    """Read the bytes of one file."""
    collector = Collector()
    text, usable = decode(file, raw, collector)
    if usable and file.lower().endswith(_SQL):
        return Parsed(None, text, tuple(collector))
    document = read_yaml(file, text, collector) if usable else Document(file, text, None)
    return Parsed(document, None, tuple(collector))


def read_tree(root: Path, files: Files, collector: Collector, memory: ReadMemory | None = None) -> SourceTree:
    """The tree of files that were already read. `root` is the folder that they came from."""
    collector.extend(files.findings)
    documents: dict[str, Document] = {}
    cases: dict[str, Document] = {}
    texts: dict[str, str] = {}
    unread = set(files.unread)
    for file, raw in files.raw.items():
        parsed = memory.parsed(file, raw) if memory is not None else parse(file, raw)
        collector.extend(parsed.findings)
        if parsed.text is not None:
            texts[file] = parsed.text
        elif parsed.document is not None:
            if parsed.document.root is None:
                unread.add(file)
            (cases if is_case(file) else documents)[file] = parsed.document
    if not documents and not unread:
        collector.report(
            "W101",
            "no definitions in `connections/`, `interfaces/` or `schemas/`",
            hint="run `weir init` here, or pass the project's folder with `--project`",
        )
    return SourceTree(root, documents, cases, texts, frozenset(unread))


class _Loader:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._real_root = root.resolve()
        self._collector = Collector()
        self._unread: set[str] = set()

    def read(self) -> Files:
        found: dict[str, bytes] = {}
        for file in self._files():
            raw = self._read(file)
            if raw is not None:
                found[file] = raw
        return Files(found, frozenset(self._unread), tuple(self._collector))

    def _files(self) -> Iterator[str]:
        for folder in FOLDERS:
            path = self._root / folder
            if path.is_symlink() or path.exists():
                yield from self._walk(path, folder, frozenset())
        settings = self._root / SETTINGS
        if settings.is_symlink() or settings.exists():
            yield SETTINGS

    def _walk(self, path: Path, name: str, above: frozenset[Path]) -> Iterator[str]:
        """The definition files below a folder, in order of path. `above` are the real paths of its parent folders."""
        real = self._inside(path, name)
        if real is None:
            return
        if real in above or len(above) >= _MAX_FOLDER_DEPTH:
            self._refuse("E113", "the symbolic link points to a folder above it", name, "remove the link")
            return
        try:
            entries = sorted(path.iterdir(), key=lambda entry: entry.name)
        except OSError as error:
            message = f"cannot read the folder ({_reason(error)})"
            if isinstance(error, NotADirectoryError):
                message = "expected a folder, found a file"
                self._refuse("E101", message, name, "replace it with a folder")
                return
            self._refuse("E101", message, name, "check its permissions")
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            below = f"{name}/{entry.name}"
            if not _is_definition(entry.name):
                if entry.is_dir():
                    yield from self._walk(entry, below, above | {real})
                continue
            if entry.is_dir():
                self._refuse("E116", "expected a file, found a folder", below, "rename the folder")
                continue
            yield below

    def _inside(self, path: Path, name: str) -> Path | None:
        """The real path, when it is within the project."""
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):
            self._refuse("E113", "the target of the symbolic link does not exist", name, "remove or correct the link")
            return None
        if real != self._real_root and self._real_root not in real.parents:
            self._refuse(
                "E113",
                "the symbolic link points outside the project",
                name,
                "copy the file into the project",
            )
            return None
        return real

    def _read(self, file: str) -> bytes | None:
        path = self._root / file
        if self._inside(path, file) is None:
            return None
        try:
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                self._refuse("E116", "expected a regular file", file, None)
                return None
            with path.open("rb") as stream:
                raw = stream.read(MAX_BYTES + 1)
        except OSError as error:
            self._refuse("E101", f"cannot read the file ({_reason(error)})", file, "check its permissions")
            return None
        if len(raw) > MAX_BYTES:
            self._refuse("E103", f"expected a file of at most {MAX_BYTES // 1024:,} KiB", file, "split the definition")
            return None
        return raw

    def _refuse(self, code: str, message: str, file: str, hint: str | None) -> None:
        self._collector.report(code, message, Place(file), hint=hint)
        self._unread.add(file)


def _reason(error: OSError) -> str:
    return (error.strerror or "no reason given").lower()


def is_case(file: str) -> bool:
    """Whether the file at this path holds test cases instead of a definition."""
    return file.startswith("interfaces/") and file.lower().endswith(_CASES)


def _is_definition(name: str) -> bool:
    return name.lower().endswith((*_YAML, _SQL))
