-- Claimed starts whose run may not have begun: the id of the run and the process that claimed it.
CREATE TABLE claims (
    run TEXT PRIMARY KEY,
    interface TEXT NOT NULL,
    due BIGINT NOT NULL,
    owner TEXT NOT NULL
);
