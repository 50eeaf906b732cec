"""Definitions that nothing uses: most often a name that was changed in one place."""

from __future__ import annotations

from engine.diagnostics import Collector, Place
from engine.source import SourceTree

from .types import Project


def report_unused(project: Project, tree: SourceTree, collector: Collector) -> None:
    """Warn of connections no step uses, tables no step writes, and .sql files no step names.

    A table that is only read is not unused: something outside may fill it. Whether a box reads it is not known here, so
    a table counts as used when its name stands in any box.
    """
    steps = [step for interface in project.interfaces.values() for step in interface.steps]
    used = {step.connection.name for step in steps if step.connection}
    for name, connection in project.connections.items():
        if name not in used and connection.box is None:
            hint = "use it in an import, give it a `sql`, or delete the file"
            collector.report("W302", f"no step uses the connection `{name}`", connection.place.at("name"), hint=hint)
    written = {table.name for step in steps for table in (step.table, step.source) if table}
    texts = [step.box.text for step in steps if step.box]
    for name, table in project.tables.items():
        if name not in written and not any(name in text for text in texts):
            hint = "import something into it, or delete the file"
            collector.report("W303", f"no step uses the table `{name}`", table.place.at("name"), hint=hint)
    files = {step.box.place.file for step in steps if step.box}
    for file in tree.texts:
        if file not in files:
            hint = "name it in a `sql_file`, or delete it"
            collector.report("W305", "no step uses this SQL box", Place(file, on="text"), hint=hint)
