"""Finds unused definitions, usually the result of a rename in only one place."""

from __future__ import annotations

from engine.diagnostics import Collector, Place
from engine.source import SourceTree

from .types import Project


def report_unused(project: Project, tree: SourceTree, collector: Collector) -> None:
    """Warn about connections that no step uses, tables that no step writes, and .sql files that no step names.

    A table that is only read counts as used, because another program may fill it. Boxes are not parsed here, so a table
    counts as used if its name occurs in any box.
    """
    steps = [step for interface in project.interfaces.values() for step in interface.steps]
    used = {step.connection.name for step in steps if step.connection}
    for name, connection in project.connections.items():
        if name not in used and connection.box is None:
            hint = "use it in an import, add a `sql`, or delete the file"
            collector.report("W302", f"no step uses the connection `{name}`", connection.place.at("name"), hint=hint)
    written = {table.name for step in steps for table in (step.table, step.source) if table}
    texts = [step.box.text for step in steps if step.box]
    for name, table in project.tables.items():
        if name not in written and not any(name in text for text in texts):
            hint = "import rows into it, or delete the file"
            collector.report("W303", f"no step uses the table `{name}`", table.place.at("name"), hint=hint)
    files = {step.box.place.file for step in steps if step.box}
    for file in tree.texts:
        if file not in files:
            hint = "refer to it with `sql_file`, or delete it"
            collector.report("W305", "no step uses this SQL file", Place(file, on="text"), hint=hint)
