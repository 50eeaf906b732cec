"""Run state in SQLite or PostgreSQL. Importing it imports SQLAlchemy: `app` does so when a verb needs state."""

from typing import TYPE_CHECKING

from engine.faces import lazy

if TYPE_CHECKING:
    from .database import is_out_of_reach
    from .run_store import SqlRunStore, open_run_store
    from .serving_store import Claim, SqlServingStore, TokenRecord, open_serving_store
    from .write_ledger import SqlWriteLedger, open_write_ledger
else:
    __getattr__ = lazy(
        __name__,
        {
            ".database": "is_out_of_reach",
            ".run_store": "SqlRunStore open_run_store",
            ".serving_store": "Claim SqlServingStore TokenRecord open_serving_store",
            ".write_ledger": "SqlWriteLedger open_write_ledger",
        },
    )

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
