"""Spool files return the written pages, and a truncated file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.connector.spool import MAGIC, SpoolError, SpoolWriter, read_pages

PAGES = [b'{"data":[{"id":"a"}]}', b'{"data":[{"id":"b"},{"id":"c"}]}']


def written(path: Path) -> Path:
    """A spool file that contains PAGES."""
    writer = SpoolWriter(path)
    for page in PAGES:
        writer.write(page, page.count(b"id"))
    writer.close()
    writer.close()
    assert (writer.frames, writer.rows, writer.bytes) == (2, 3, sum(map(len, PAGES)))
    return path


def test_written_pages_are_read_in_order(tmp_path: Path) -> None:
    assert list(read_pages(written(tmp_path / "a"))) == PAGES


def test_spool_file_truncated_anywhere_is_refused(tmp_path: Path) -> None:
    whole = written(tmp_path / "a").read_bytes()
    cut = tmp_path / "cut"
    for length in range(len(whole)):
        cut.write_bytes(whole[:length])
        with pytest.raises(SpoolError):
            list(read_pages(cut))


def test_abandoned_spool_file_is_refused(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "a")
    writer.write(PAGES[0], 1)
    writer.abandon()
    with pytest.raises(SpoolError, match="cut short"):
        list(read_pages(tmp_path / "a"))


def test_spool_file_with_a_lost_frame_is_refused(tmp_path: Path) -> None:
    whole = written(tmp_path / "a").read_bytes()
    start = len(MAGIC)
    (tmp_path / "b").write_bytes(whole[:start] + whole[start + 4 + len(PAGES[0]) :])
    with pytest.raises(SpoolError):
        list(read_pages(tmp_path / "b"))


def test_spool_writer_does_not_overwrite_a_file(tmp_path: Path) -> None:
    written(tmp_path / "a")
    with pytest.raises(FileExistsError):
        SpoolWriter(tmp_path / "a")
    with pytest.raises(ValueError, match="expected a page"):
        SpoolWriter(tmp_path / "b").write(b"", 0)
