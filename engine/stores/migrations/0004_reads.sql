-- Read requests by connection and day (days since 1970, UTC): read budgets are checked against them.
CREATE TABLE reads (
    connection TEXT NOT NULL,
    day INTEGER NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (connection, day)
);
-- The requests of a run by connection, as JSON.
ALTER TABLE runs ADD COLUMN reads TEXT NOT NULL DEFAULT '[]';
