"""Plans, runs and queries, with all that they need."""
