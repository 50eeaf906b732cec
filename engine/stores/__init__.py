"""Run state in SQLite or PostgreSQL. Importing it imports SQLAlchemy: `app` does so when a verb needs state."""

from .run_store import SqlRunStore, open_run_store

__all__ = ["SqlRunStore", "open_run_store"]
