"""DuckDB: binding SQL boxes, staging, running boxes, the Schema's tables. Importing it imports duckdb: `app` does so
only for the verbs that need it."""

from .binder import DuckBinder
from .box import DuckBoxRunner
from .isolated import IsolatedBoxRunner
from .staging import DuckStaging, StagingLimits
from .tables import DuckTableStore

__all__ = [
    "DuckBinder",
    "DuckBoxRunner",
    "DuckStaging",
    "DuckTableStore",
    "IsolatedBoxRunner",
    "StagingLimits",
]
