"""Unusable run state is refused with its code."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from engine.run import StoreError
from engine.stores import open_run_store


def test_file_that_is_no_database_is_refused_and_unchanged(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    file.write_text("these are notes, not a database\n" * 100)
    with pytest.raises(StoreError) as raised:
        open_run_store(file)
    assert raised.value.code == "E650"
    assert file.read_text().startswith("these are notes")


def test_state_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    open_run_store(file).close()
    with sqlite3.connect(file) as connection:
        connection.execute("INSERT INTO schema_version (number, name) VALUES (9999, 'from the future')")
    with pytest.raises(StoreError) as raised:
        open_run_store(file)
    assert raised.value.code == "E651"
    assert "9999" in raised.value.message
