"""The tables of the run state, for queries. `migrations/` creates them."""

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

OPS = Table(
    "ops",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("connection", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("use_of", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("row_key", Text, nullable=False),
    Column("object", Text),
    Column("parameters", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("planned", BigInteger, nullable=False),
    Column("lane", Text),
    Column("requires", Text),
    Column("sent", BigInteger),
    Column("ended", BigInteger),
    Column("result", Text),
    Column("failure", Text),
    Column("request", Text),
    Column("note", Text),
    Column("answer", Text),
)

IDENTITIES = Table(
    "identities",
    METADATA,
    Column("connection", Text, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("row_key", Text, primary_key=True),
    Column("object", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
)

SCHEDULES = Table(
    "schedules",
    METADATA,
    Column("interface", Text, primary_key=True),
    Column("due", BigInteger, nullable=False),
)

CLAIMS = Table(
    "claims",
    METADATA,
    Column("run", Text, primary_key=True),
    Column("interface", Text, nullable=False),
    Column("due", BigInteger, nullable=False),
    Column("owner", Text, nullable=False),
)

TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("made", BigInteger, nullable=False),
    Column("expires", BigInteger),
    Column("revoked", BigInteger),
    Column("used", BigInteger),
)
