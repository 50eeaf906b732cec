-- Requests that read, by connection and day (days since 1970, UTC): what a read budget is held against.
CREATE TABLE reads (
    connection TEXT NOT NULL,
    day INTEGER NOT NULL,
    requests BIGINT NOT NULL,
    PRIMARY KEY (connection, day)
);
-- What a run asked of each connection, as JSON.
ALTER TABLE runs ADD COLUMN reads TEXT NOT NULL DEFAULT '[]';
