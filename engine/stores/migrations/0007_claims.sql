-- Starts that were taken and whose run may not have begun: which run each is to be, and which process has taken it.
CREATE TABLE claims (
    run TEXT PRIMARY KEY,
    interface TEXT NOT NULL,
    due BIGINT NOT NULL,
    owner TEXT NOT NULL
);
