-- name: make_table
CREATE SCHEMA IF NOT EXISTS store.weir;
CREATE TABLE IF NOT EXISTS store.weir.watermarks (
    step VARCHAR NOT NULL,
    run VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    parts JSON NOT NULL
)

-- name: read
SELECT w.step, w.run, w.file, w.changed_at, w.parts, t.table_name IS NULL
FROM store.weir.watermarks AS w
LEFT JOIN duckdb_tables() AS t
    ON t.database_name = 'store' AND t.schema_name = 'main' AND t.table_name = w.table_name

-- name: forget
DELETE FROM store.weir.watermarks
WHERE step = $step OR ($is_new AND table_name = $table)

-- name: record
INSERT INTO store.weir.watermarks VALUES ($step, $run, $table, $file, $changed_at, $parts)
