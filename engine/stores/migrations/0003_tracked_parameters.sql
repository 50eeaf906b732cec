-- Values of tracked parameters after the last successful run of their interface.
CREATE TABLE tracked_parameters (
    interface TEXT NOT NULL,
    parameter TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (interface, parameter)
);
