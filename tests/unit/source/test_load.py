"""Reading the folder of a project."""

import os
import socket
from pathlib import Path

import pytest

from engine.diagnostics import Collector
from engine.source import SourceTree, load_root, plain


def load(root: Path) -> tuple[SourceTree, list[tuple[str, str | None]]]:
    collector = Collector()
    tree = load_root(root, collector)
    return tree, [(found.code, found.place.file if found.place else None) for found in collector]


def write(root: Path, file: str, text: str | bytes = "kind: x\n") -> Path:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_load_reads_definitions_and_skips_other_files(tmp_path: Path) -> None:
    for file in (
        "weir.yaml", "connections/a.yaml", "connections/deep/er/b.yml", "interfaces/c.yaml", "interfaces/c.test.yaml",
        "interfaces/sql/c.sql", "schemas/d.test.yaml", "schemas/d.yaml", "schemas/d.schema.json",
        "other/e.yaml", "f.yaml",
        "interfaces/.hidden.yaml", "interfaces/.git/g.yaml", "interfaces/notes.txt", "interfaces/h.yaml~",
    ):  # fmt: skip
        write(tmp_path, file)
    tree, found = load(tmp_path)
    assert found == []
    assert list(tree.documents) == [
        "connections/a.yaml", "connections/deep/er/b.yml", "interfaces/c.yaml", "schemas/d.test.yaml",
        "schemas/d.yaml", "weir.yaml",
    ]  # fmt: skip
    assert list(tree.cases) == ["interfaces/c.test.yaml"]
    assert dict(tree.texts) == {"interfaces/sql/c.sql": "kind: x\n"}
    assert tree.unread == frozenset()
    assert [document.folder for document in tree.documents.values()][-2:] == ["schemas", ""]


def test_empty_folder_is_a_warning(tmp_path: Path) -> None:
    tree, found = load(tmp_path)
    assert found == [("W101", None)]
    assert not tree.documents


def test_byte_order_mark_is_ignored_with_a_warning(tmp_path: Path) -> None:
    write(tmp_path, "schemas/a.yaml", b"\xef\xbb\xbfkind: schema\n")
    tree, found = load(tmp_path)
    assert found == [("W102", "schemas/a.yaml")]
    root = tree.documents["schemas/a.yaml"].root
    assert root is not None
    assert plain(root) == {"kind": "schema"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-be"])
def test_file_in_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    text = "\ufeffkind: schema\n" if encoding == "utf-16-be" else "kind: schema\n"
    write(tmp_path, "schemas/a.yaml", text.encode(encoding))
    tree, found = load(tmp_path)
    assert found == [("E102", "schemas/a.yaml")]
    assert tree.unread == {"schemas/a.yaml"}


@pytest.mark.parametrize("file", ["schemas/a.yaml", "interfaces/a.sql"])
def test_invalid_bytes_are_reported_with_their_place(tmp_path: Path, file: str) -> None:
    write(tmp_path, file, "kind: é\nnäme: 'ü".encode() + b"\xff\xfe'\n")
    collector = Collector()
    tree = load_root(tmp_path, collector)
    (found,) = collector
    assert found.code == "E102"
    assert found.place is not None
    region = tree.locate(found.place)
    assert (region.start_line, region.start_column, region.lines) == (2, 9, ("näme: 'ü\ufffd\ufffd'",))
    assert file not in tree.texts
    assert tree.unread == {file}


def test_file_above_the_size_limit_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "interfaces/a.yaml", "x" * (1024 * 1024 + 1))
    write(tmp_path, "interfaces/b.sql", "x" * (1024 * 1024))
    tree, found = load(tmp_path)
    assert found == [("E103", "interfaces/a.yaml")]
    assert "interfaces/b.sql" in tree.texts


def test_links_out_of_the_project_are_refused(tmp_path: Path) -> None:
    outside = write(tmp_path, "outside/secret.yaml")
    project = tmp_path / "project"
    real = write(project, "..data_of_mount/real.yaml")
    write(project, "connections/a.yaml")
    links = project / "connections"
    (links / "fine.yaml").symlink_to(real)
    (links / "leaves.yaml").symlink_to(outside)
    (links / "folder_leaves").symlink_to(outside.parent)
    (links / "nowhere.yaml").symlink_to("gone.yaml")
    (links / "itself.yaml").symlink_to("itself.yaml")
    (links / "loop").symlink_to(links)
    tree, found = load(project)
    assert list(tree.documents) == ["connections/a.yaml", "connections/fine.yaml"]
    assert sorted(found) == [
        ("E113", f"connections/{name}")
        for name in ("folder_leaves", "itself.yaml", "leaves.yaml", "loop", "nowhere.yaml")
    ]


def test_root_that_is_a_link_is_followed(tmp_path: Path) -> None:
    write(tmp_path, "v1/schemas/a.yaml")
    (tmp_path / "current").symlink_to("v1")
    tree, found = load(tmp_path / "current")
    assert found == []
    assert list(tree.documents) == ["schemas/a.yaml"]


def test_folders_pipes_and_sockets_are_refused(tmp_path: Path) -> None:
    (tmp_path / "interfaces/folder.yaml").mkdir(parents=True)
    os.mkfifo(tmp_path / "interfaces/pipe.yaml")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(tmp_path / "interfaces")
        try:
            listener.bind("socket.sql")
        finally:
            os.chdir(here)
        _, found = load(tmp_path)
    assert found == [("E116", f"interfaces/{name}") for name in ("folder.yaml", "pipe.yaml", "socket.sql")]


def test_file_in_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "interfaces")
    _, found = load(tmp_path)
    assert found == [("E101", "interfaces")]


def test_file_without_read_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refused = write(tmp_path, "schemas/a.yaml")
    write(tmp_path, "schemas/b.yaml")
    opened = Path.open

    def refuse(self: Path, *args: object, **more: object) -> object:
        if self == refused:
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", refuse)
    tree, found = load(tmp_path)
    assert found == [("E101", "schemas/a.yaml")]
    assert list(tree.documents) == ["schemas/b.yaml"]
