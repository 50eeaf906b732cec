-- Every write to a provider, recorded before it is sent; its id is the idempotency key. Timestamps as in `runs`.
CREATE TABLE ops (
    id TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    step TEXT NOT NULL,
    connection TEXT NOT NULL,
    number INTEGER NOT NULL,
    use_of TEXT NOT NULL,
    target TEXT NOT NULL,
    row_key TEXT NOT NULL,
    object TEXT,
    parameters TEXT NOT NULL,
    state TEXT NOT NULL,
    planned BIGINT NOT NULL,
    lane TEXT,
    requires TEXT,
    sent BIGINT,
    ended BIGINT,
    result TEXT,
    failure TEXT,
    request TEXT,
    note TEXT,
    answer TEXT
);

CREATE INDEX ops_by_state ON ops (connection, state);

CREATE INDEX ops_by_step ON ops (connection, step, use_of, state);

CREATE INDEX ops_by_time ON ops (planned, number);

-- The object that each key of a step is bound to.
CREATE TABLE identities (
    connection TEXT NOT NULL,
    step TEXT NOT NULL,
    row_key TEXT NOT NULL,
    object TEXT NOT NULL,
    since BIGINT NOT NULL,
    PRIMARY KEY (connection, step, row_key)
);
