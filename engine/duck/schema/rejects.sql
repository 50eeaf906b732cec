-- name: make_table
CREATE SCHEMA IF NOT EXISTS store.weir;
CREATE TABLE store.weir.rejects (
    run VARCHAR,
    step VARCHAR,
    table_name VARCHAR,
    key JSON,
    column_name VARCHAR,
    problem VARCHAR,
    "row" JSON
)

-- name: read
SELECT run, step, table_name, key, column_name, problem, "row"
FROM store.weir.rejects
ORDER BY step, rowid
LIMIT ?
