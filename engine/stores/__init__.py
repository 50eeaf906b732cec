"""Run state in SQLite or PostgreSQL. Importing it imports SQLAlchemy: `app` does so when a verb needs state."""

from .database import is_out_of_reach
from .run_store import SqlRunStore, open_run_store
from .serving_store import Claim, SqlServingStore, TokenRecord, open_serving_store
from .write_ledger import SqlWriteLedger, open_write_ledger

__all__ = [
    "Claim",
    "SqlRunStore",
    "SqlServingStore",
    "SqlWriteLedger",
    "TokenRecord",
    "is_out_of_reach",
    "open_run_store",
    "open_serving_store",
    "open_write_ledger",
]
