-- When scheduled interfaces are due, for all servers of this state. Instants as in `runs`.
CREATE TABLE schedules (
    interface TEXT PRIMARY KEY,
    due BIGINT NOT NULL
);

-- Tokens of the API: the hash of each, never the token.
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
