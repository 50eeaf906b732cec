"""DuckDB behind the ports: the binder, staging, SQL boxes, the Schema's tables. Importing it imports duckdb."""

from .binder import DuckBinder
from .box import DuckBoxRunner
from .compare import TableDifference, WindowDifference, compare_tables
from .exporter import DuckExporter
from .files import copy_file
from .given_rows import write_rows
from .isolated import IsolatedBoxRunner
from .rejects import read_rejects
from .results import ResultFormat, fetch_rows, result_rows, write_result
from .staging import DuckStaging, StagingLimits
from .tables import DuckTableStore
from .values import ValueRow, stored_values, typed_values
from .watermarks import read_watermarks

__all__ = [
    "DuckBinder",
    "DuckBoxRunner",
    "DuckExporter",
    "DuckStaging",
    "DuckTableStore",
    "IsolatedBoxRunner",
    "ResultFormat",
    "StagingLimits",
    "TableDifference",
    "ValueRow",
    "WindowDifference",
    "compare_tables",
    "copy_file",
    "fetch_rows",
    "read_rejects",
    "read_watermarks",
    "result_rows",
    "stored_values",
    "typed_values",
    "write_result",
    "write_rows",
]
