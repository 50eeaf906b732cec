"""Spool files, a small catalogue and boxes for the tests of staging and boxes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from engine.connector import Op, Predicate, SourceCatalogue, SourceTable, TimestampFormat, Window
from engine.connector.spool import SpoolWriter
from engine.diagnostics import Place
from engine.graph import Bound, Box
from engine.relation import BOOLEAN, INTEGER, JSON, MAP, TEXT, TIMESTAMP, Column, ColumnType, Kind, Relation
from engine.run import BoxLimits, Coverage, OutputFile

ACCOUNT = "acct_1"
DECIMAL = ColumnType(Kind.DECIMAL, 38, 12)
SYSTEM = (
    Column("_account", TEXT, True),
    Column("_livemode", BOOLEAN, True),
    Column("_api_version", TEXT, True),
    Column("_read_at", TIMESTAMP, True),
    Column("_changed_at", TIMESTAMP),
    Column("_source", TEXT, True),
    Column("_deleted_at", TIMESTAMP),
    Column("_extra", JSON),
)
OWN = (
    Column("id", TEXT, True),
    Column("created", TIMESTAMP),
    Column("amount", INTEGER),
    Column("rate", DECIMAL),
    Column("status", TEXT),
    Column("paid", BOOLEAN),
    Column("address", JSON),
    Column("metadata", MAP),
)
LIMITS = BoxLimits(memory_bytes=256 << 20, seconds=10, threads=1, temp_bytes=256 << 20)


def table(name: str = "charges", *more: Column) -> SourceTable:
    return SourceTable(
        name,
        Relation((*OWN, *more, *SYSTEM)),
        ("id",),
        "",
        {"status": frozenset({Op.EQ})},
        "created",
        timestamps=TimestampFormat.UNIX_SECONDS_OR_RFC_3339,
    )


def catalogue(*tables: SourceTable) -> SourceCatalogue:
    return SourceCatalogue("2026-10-28", {each.name: each for each in tables or (table(), table("customers"))})


def at_minute(minute: int) -> datetime:
    return datetime(2026, 1, 1, 12, minute, tzinfo=UTC)


def stored(minute: int) -> datetime:
    """The timestamp of `at_minute` as DuckDB returns it: UTC without a time zone."""
    return at_minute(minute).replace(tzinfo=None)


def duck_time(seconds: float) -> datetime:
    """Unix seconds as the timestamp that DuckDB returns: UTC without a time zone."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def spool(
    folder: Path,
    pages: Sequence[Sequence[Mapping[str, object]]],
    bucket: str = "charges",
    account: str | None = ACCOUNT,
    drift: Sequence[tuple[str, str, int]] = (),
) -> OutputFile:
    path = folder / f"{len(list(folder.iterdir()))}.spool"
    writer = SpoolWriter(path)
    for page in pages:
        body = {"object": "list", "data": list(page), "has_more": False}
        writer.write(json.dumps(body, indent=2, ensure_ascii=False).encode(), len(page))
    writer.close()
    meta = {
        "account": account,
        "livemode": False,
        "api_version": "2026-10-28",
        "source": "list",
        "extra": any("_extra" in row for page in pages for row in page),
        "drift": [list(each) for each in drift],
    }
    return OutputFile(str(path), sum(len(page) for page in pages), bucket, meta)


def covered(
    minute: int,
    *,
    gte: int | None = None,
    lt: int | None = None,
    where: tuple[tuple[Predicate, ...], ...] = ((),),
    complete: bool = True,
    account: str = ACCOUNT,
) -> Coverage:
    return Coverage(account, "charges", Window(gte, lt), where, at_minute(minute), "list", "2026-10-28", 1, 1, complete)


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def box(sql: str, *columns: tuple[str, ColumnType], scope: tuple[str, ...] = ("stripe", "schema")) -> Box:
    relation = Relation(tuple(Column(name, kind) for name, kind in columns))
    return Box(sql, Place("interfaces/x.yaml"), scope, Bound(relation, ()))
