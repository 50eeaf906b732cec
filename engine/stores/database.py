"""Opens the database of the run state: SQLite by default, or any URL that SQLAlchemy supports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, insert, inspect, select, text
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.exc import DBAPIError, OperationalError

from engine.run import StoreError

from .migrations import Migration, load_migrations
from .tables import SCHEMA_VERSION

BUSY_SECONDS = 15
_MIGRATION_LOCK = 7_236_174  # arbitrary, but the same in every process


def sqlite_url(path: Path) -> str:
    """The URL of a SQLite file, for `open_database`."""
    return f"sqlite+pysqlite:///{path}"


def open_database(url: str, *, durable: bool = False) -> Engine:
    """Connect and migrate the schema. With `durable`, commits survive a power failure.

    Raises `StoreError` if the database cannot be opened or its schema is newer than this program.
    """
    engine = create_engine(url)
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, durable=durable)
    try:
        _migrate(engine)
    except DBAPIError as error:
        engine.dispose()
        raise StoreError(
            "E650",
            f"the run state cannot be opened: {error.orig}",
            "see that the folder can be written and that no other program holds the file",
        ) from None
    except StoreError:
        engine.dispose()
        raise
    return engine


def insert_into(engine: Engine, table: Table) -> Any:
    """An INSERT with an ON CONFLICT clause, in the dialect of the engine."""
    if engine.dialect.name != "postgresql":
        return sqlite_insert(table)
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert  # slow to import, and rarely used

    return postgresql_insert(table)


def is_out_of_reach(error: Exception) -> bool:
    """Whether a database error may be temporary: a long lock, a full disk, an unreachable server."""
    return isinstance(error, OperationalError)


def _prepare_sqlite(engine: Engine, *, durable: bool) -> None:
    """Use WAL, so that readers never wait for a writer, and BEGIN IMMEDIATE, so that a transaction takes its write lock
    before it reads."""

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        if durable:
            cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(engine: Engine) -> None:
    migrations = load_migrations()
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        if not inspect(connection).has_table(SCHEMA_VERSION.name):
            SCHEMA_VERSION.create(connection)
        done = frozenset(connection.scalars(select(SCHEMA_VERSION.c.number)))
        newest = migrations[-1].number
        if done and max(done) > newest:
            raise StoreError(
                "E651",
                f"the run state has schema version {max(done)}, this program supports {newest}",
                "use the version of Weir that wrote it, or a newer one",
            )
        for migration in migrations:
            if migration.number not in done:
                _apply(connection, migration)


def _apply(connection: Connection, migration: Migration) -> None:
    for statement in migration.statements:
        connection.exec_driver_sql(statement)
    connection.execute(insert(SCHEMA_VERSION).values(number=migration.number, name=migration.name))
