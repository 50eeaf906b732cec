"""The mirror: what a provider answered, typed and complete, in a DuckDB file for each connection."""
