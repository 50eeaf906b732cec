"""Reused DuckDB instances: nothing of one use is visible to the next."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from engine.duck.instances import Terms, own_instance


def setting(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    ((value,),) = connection.execute(f"SELECT current_setting('{name}')::VARCHAR").fetchall()
    return str(value)


def test_committed_rows_are_in_the_file_after_the_use(tmp_path: Path) -> None:
    file = tmp_path / "a.duckdb"
    with own_instance(Terms(tmp_path / "spill"), "one") as connection:
        connection.execute(f"ATTACH '{file}' AS one")
        connection.execute("CREATE TABLE one.t AS SELECT 7 AS x")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.duckdb"]
    with duckdb.connect(str(file), read_only=True) as other:
        assert other.execute("SELECT x FROM t").fetchall() == [(7,)]


def test_state_of_one_use_is_invisible_to_the_next(tmp_path: Path) -> None:
    with own_instance(Terms(tmp_path / "spill"), "one") as connection:
        connection.execute(f"ATTACH '{tmp_path / 'a.duckdb'}' AS one")
        connection.execute("USE one")
        connection.execute("CREATE TEMP TABLE left_behind AS SELECT 1 AS x")
        connection.execute("BEGIN")
        connection.execute("CREATE TABLE not_committed AS SELECT 1 AS x")
    with own_instance(Terms(tmp_path / "spill"), "one") as connection:
        names = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        assert names == []
        assert connection.execute("SELECT current_database()").fetchall() == [("memory",)]
        connection.execute(f"ATTACH '{tmp_path / 'a.duckdb'}' AS one (READ_ONLY)")
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == []


@pytest.mark.parametrize("memory", ["256MB", "96MB"])
def test_each_use_applies_its_own_terms(tmp_path: Path, memory: str) -> None:
    with own_instance(Terms(tmp_path / "before", "128MB", 2)) as connection:
        assert setting(connection, "threads") == "2"
    with own_instance(Terms(tmp_path / memory, memory, 1, "zstd")) as connection:
        assert setting(connection, "threads") == "1"
        assert setting(connection, "memory_limit") == {"256MB": "244.1 MiB", "96MB": "91.5 MiB"}[memory]
        assert setting(connection, "temp_directory") == str(tmp_path / memory)
        assert setting(connection, "force_compression").lower() == "zstd"
        assert setting(connection, "TimeZone") == "UTC"


def test_a_use_without_a_memory_limit_has_the_default_of_duckdb(tmp_path: Path) -> None:
    with duckdb.connect() as plain:
        default = setting(plain, "memory_limit")
    with own_instance(Terms(tmp_path / "new", memory=None)) as connection:
        assert setting(connection, "memory_limit") == default
    with own_instance(Terms(tmp_path / "limited", memory="96MB")) as connection:
        assert setting(connection, "memory_limit") == "91.5 MiB"
    with own_instance(Terms(tmp_path / "again", memory=None)) as connection:
        assert setting(connection, "memory_limit") == default


def test_concurrent_uses_are_isolated(tmp_path: Path) -> None:
    with own_instance(Terms(tmp_path / "spill"), "one") as first, own_instance(Terms(tmp_path / "spill")) as second:
        first.execute(f"ATTACH '{tmp_path / 'a.duckdb'}' AS one")
        databases = second.execute("SELECT database_name FROM duckdb_databases() WHERE NOT internal").fetchall()
        assert databases == [("memory",)]


def test_file_is_released_after_an_error(tmp_path: Path) -> None:
    file = tmp_path / "a.duckdb"

    def fail() -> None:
        with own_instance(Terms(tmp_path / "spill"), "one") as connection:
            connection.execute(f"ATTACH '{file}' AS one")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with own_instance(Terms(tmp_path / "spill"), "one") as connection:
        connection.execute(f"ATTACH '{file}' AS one")
        connection.execute("CREATE TABLE one.t AS SELECT 1 AS x")


def test_instance_is_renewed_after_many_uses(tmp_path: Path) -> None:
    """Each use leaks a little memory that only closing the instance frees."""
    terms = Terms(tmp_path / "spill")
    with own_instance(terms) as connection:
        connection.execute("CREATE TABLE memory.of_this_instance AS SELECT 1 AS x")
    for _ in range(1000):
        with own_instance(terms) as connection:
            if not connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                return
    pytest.fail("one instance had a thousand uses")
