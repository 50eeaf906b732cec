-- Runs and the outcomes of their steps. Timestamps are microseconds since 1970, UTC.
CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    interfaces TEXT NOT NULL,
    status TEXT NOT NULL,
    started BIGINT NOT NULL,
    ended BIGINT,
    started_by TEXT NOT NULL,
    git_commit TEXT,
    plan_hash TEXT NOT NULL,
    counts TEXT NOT NULL
);

CREATE INDEX runs_by_start ON runs (started, id);

CREATE TABLE steps (
    run_id TEXT NOT NULL REFERENCES runs (id),
    number INTEGER NOT NULL,
    step TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    started BIGINT NOT NULL,
    ended BIGINT NOT NULL,
    counts TEXT NOT NULL,
    message TEXT,
    PRIMARY KEY (run_id, number)
);
