-- One row a lease, kept after its release so that tokens only grow. No owner: the lease is free.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    token BIGINT NOT NULL,
    owner TEXT,
    expires BIGINT NOT NULL
);
