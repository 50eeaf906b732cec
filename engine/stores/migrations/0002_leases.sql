-- One row per lease, kept after its release so that fencing tokens only grow. A lease without an owner is free.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    token BIGINT NOT NULL,
    owner TEXT,
    expires BIGINT NOT NULL
);
