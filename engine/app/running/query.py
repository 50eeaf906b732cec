"""Trying a SQL box: bound offline, its tables read as the box needs them, its rows shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from shutil import copyfileobj
from typing import BinaryIO, cast

from engine import duck
from engine.diagnostics import CODES, Collector, Place, Severity, did_you_mean
from engine.graph import Box, Respond
from engine.plan import plan_answer
from engine.project import BoxText
from engine.relation import Relation
from engine.run import BoxResult, EventSink, execute_plan

from ..checking.check import Checked, Checker, DefinitionsError
from ..errors import Exit, RefusalError
from ..workspace import Workspace
from .plan import known_now
from .run import exit_code
from .world import RunOptions, opened_world

SCHEMA = "schema"
"""The name under which the Schema is asked, as if it were a connection."""
TYPED = "query.sql"
"""How findings call the SQL that was typed."""
TYPED_INTERFACE = "query"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found: the columns, and the rows on disk for as long as the query is open.

    `changed` are the tables of which it asked for the changed rows, and got all: no step says since when. `warnings`
    are sentences about what should be looked at.
    """

    relation: Relation
    result: BoxResult
    changed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def rows(self, limit: int) -> Sequence[tuple[object, ...]]:
        """The first rows."""

        return duck.fetch_rows(self.result, limit)

    def write(self, target: Path, style: str) -> None:
        """All rows as a file: csv, json (one object a line) or parquet. OSError when it cannot be written."""

        duck.write_result(self.result, target, cast("duck.ResultFormat", style))

    def send(self, stream: BinaryIO, style: str) -> None:
        """All rows to a stream, byte for byte what `write` puts into a file."""
        file = self.result.path.with_name(f"answer.{style}")
        try:
            self.write(file, style)
            with file.open("rb") as rows:
                copyfileobj(rows, stream)
            stream.flush()
        finally:
            file.unlink(missing_ok=True)


@contextmanager
def answered(
    workspace: Workspace, connection: str, sql: str | None, limit: int | None, options: RunOptions, events: EventSink
) -> Iterator[Answer]:
    """Run a SQL box on a connection, or on `schema`. Without `sql` it is the connection's own.

    `limit` bounds the rows, and what is read for them. Raises DefinitionsError or RefusalError.
    """

    checked, box = compile_box(workspace, connection, sql, limit)
    step = Respond(f"{TYPED_INTERFACE}.answer", TYPED_INTERFACE, "answer", box, Place(TYPED, on="text"), ())
    plan = plan_answer(step, checked.project, workspace.connectors, known_now(workspace, checked))
    with opened_world(workspace, checked, plan, replace(options, recorded=False)) as world:
        run = execute_plan(plan, world, events)
        outcome = run.outcome(step.id)
        if outcome is None or outcome.response is None:
            failed = next((each for each in run.outcomes if each.status == "failed"), None)
            message = failed.message if failed is not None and failed.message else "the query was stopped"
            raise RefusalError(exit_code(run), message, failed.hint if failed is not None else None)

        result = BoxResult(outcome.response, box.bound.relation, outcome.counts["rows"])
        warnings = tuple(text for each in run.outcomes for text in each.warnings)
        yield Answer(box.bound.relation, result, box.bound.changed, warnings)


def compile_box(
    workspace: Workspace, connection: str, sql: str | None, limit: int | None = None
) -> tuple[Checked, Box]:
    """The box, rendered and bound offline. Raises DefinitionsError with findings at the character that is wrong."""

    collector = Collector()
    box = None
    workspace.demand_project()
    with Checker(workspace) as checker:
        checked = checker.check()
        namespaces, own = _target(checked, connection)
        if sql is None and own is None:
            raise RefusalError(
                Exit.USAGE, f"`{connection}` has no SQL box of its own", 'say the SQL: weir query NAME "SELECT …"'
            )
        tree = checked.tree if sql is None else replace(checked.tree, texts={**checked.tree.texts, TYPED: sql})
        text = own if sql is None else BoxText(sql, Place(TYPED, on="text"))
        boxes = checker.boxes(checked, collector)
        if text is not None:
            box = boxes.compile(text, {"connection": connection}, namespaces)
        if box is not None and limit is not None:
            inner = box.sql.rstrip().rstrip(";")
            limited = BoxText(f"SELECT * FROM (\n{inner}\n) LIMIT {limit}", box.place)
            box = boxes.compile(limited, {}, namespaces) or box
    if box is None:
        # Other definitions may be wrong too; what was asked is whether this box is right.
        found = tuple(item for item in collector if CODES[item.code].severity is Severity.ERROR)
        raise DefinitionsError(
            replace(checked, tree=tree, diagnostics=found or checked.diagnostics), "the SQL is wrong"
        )
    return replace(checked, tree=tree), box


def box_columns(workspace: Workspace, connection: str, sql: str) -> Relation:
    """The columns that a box yields on a connection (or `schema`), found offline."""
    _, box = compile_box(workspace, connection, sql)
    return box.bound.relation


def _target(checked: Checked, connection: str) -> tuple[tuple[str, ...], BoxText | None]:
    """The namespaces that a box on this connection sees, and its own box."""

    if connection == SCHEMA:
        return (SCHEMA,), None
    found = checked.project.connections.get(connection)
    if found is None:
        if checked.has_errors and _is_written(checked, connection):
            raise DefinitionsError(checked, f"the connection `{connection}` cannot be used as it is written")
        known = [*checked.project.connections, SCHEMA]
        hint = did_you_mean(connection, known) or f"there is {', '.join(f'`{name}`' for name in known)}"
        raise RefusalError(Exit.USAGE, f"no connection `{connection}`", hint)
    return (connection, SCHEMA), found.box


def _is_written(checked: Checked, connection: str) -> bool:
    """Whether a file defines, or means to define, this connection: it may be too broken to be one."""
    line = re.compile(rf"^name:\s*[\"']?{re.escape(connection)}[\"']?\s*(#.*)?$", re.MULTILINE)
    return any(
        PurePosixPath(document.file).stem == connection or line.search(document.text) is not None
        for document in checked.tree.documents.values()
        if document.folder == "connections"
    )
