"""The tables of the run state as the code reads them. Their making is in `migrations/`."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, MetaData, Table, Text

METADATA = MetaData()

SCHEMA_VERSION = Table(
    "schema_version",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("name", Text, nullable=False),
)

RUNS = Table(
    "runs",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("interfaces", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("started_by", Text, nullable=False),
    Column("git_commit", Text),
    Column("plan_hash", Text, nullable=False),
    Column("counts", Text, nullable=False),
    Column("reads", Text, nullable=False),
)

STEPS = Table(
    "steps",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("step", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger, nullable=False),
    Column("counts", Text, nullable=False),
    Column("message", Text),
)

READS = Table(
    "reads",
    METADATA,
    Column("connection", Text, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("requests", BigInteger, nullable=False),
)

LEASES = Table(
    "leases",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("owner", Text),
    Column("expires", BigInteger, nullable=False),
)

TRACKED = Table(
    "tracked_parameters",
    METADATA,
    Column("interface", Text, primary_key=True),
    Column("parameter", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
