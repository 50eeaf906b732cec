"""Opening the run state's database: SQLite by default, any address SQLAlchemy knows otherwise."""

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
_MIGRATION_LOCK = 7_236_174  # any number, the same in every process


def sqlite_url(path: Path) -> str:
    """The address of a SQLite file, for `open_database`."""
    return f"sqlite+pysqlite:///{path}"


def open_database(url: str, *, durable: bool = False) -> Engine:
    """Connect and bring the schema up to date. With `durable`, what is committed survives a loss of power.

    Raises `StoreError` when the database is newer than this program or cannot be opened.
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
    """An INSERT that can say what to do on a conflict, which each dialect spells for itself."""
    if engine.dialect.name != "postgresql":
        return sqlite_insert(table)
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert  # slow, and most runs do without

    return postgresql_insert(table)


def is_out_of_reach(error: Exception) -> bool:
    """Whether a database did not answer for a reason that may pass: somebody has locked it for long, its disk is full,
    its server is away."""
    return isinstance(error, OperationalError)


def _prepare_sqlite(engine: Engine, *, durable: bool) -> None:
    """Readers never wait for the writer (WAL), writers wait for each other, and a transaction takes its lock at its
    beginning, so that two processes cannot both read and then both write."""

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
