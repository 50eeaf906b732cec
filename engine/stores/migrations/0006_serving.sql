-- Due times of scheduled interfaces, shared by all servers of this state. Timestamps as in `runs`.
CREATE TABLE schedules (
    interface TEXT PRIMARY KEY,
    due BIGINT NOT NULL
);

-- API tokens: only hashes are stored.
CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    hash TEXT NOT NULL,
    scopes TEXT NOT NULL,
    made BIGINT NOT NULL,
    expires BIGINT,
    revoked BIGINT,
    used BIGINT
);
