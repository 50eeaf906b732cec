"""DuckDB behind the ports: the binder, staging, SQL boxes, the Schema's tables. Importing it imports duckdb."""

from typing import TYPE_CHECKING

from engine.faces import lazy

if TYPE_CHECKING:
    from .binding.binder import DuckBinder
    from .boxes.isolated import IsolatedBoxRunner
    from .boxes.results import ResultFormat, fetch_rows, result_rows, write_result
    from .boxes.runner import DuckBoxRunner
    from .exports.exporter import DuckExporter
    from .files import copy_file
    from .schema.given_rows import write_rows
    from .schema.rejects import read_rejects
    from .schema.store import DuckTableStore
    from .schema.values import ValueRow, stored_values, typed_values
    from .schema.watermarks import read_watermarks
    from .staging.compare import TableDifference, WindowDifference, compare_tables
    from .staging.staging import DuckStaging, StagingLimits
else:
    __getattr__ = lazy(
        __name__,
        {
            ".binding.binder": "DuckBinder",
            ".boxes.isolated": "IsolatedBoxRunner",
            ".boxes.results": "ResultFormat fetch_rows result_rows write_result",
            ".boxes.runner": "DuckBoxRunner",
            ".exports.exporter": "DuckExporter",
            ".files": "copy_file",
            ".schema.given_rows": "write_rows",
            ".schema.rejects": "read_rejects",
            ".schema.store": "DuckTableStore",
            ".schema.values": "ValueRow stored_values typed_values",
            ".schema.watermarks": "read_watermarks",
            ".staging.compare": "TableDifference WindowDifference compare_tables",
            ".staging.staging": "DuckStaging StagingLimits",
        },
    )

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
