"""Staged rows into the table of the Schema, by sets: found by key, compared, rewritten only where they changed.

There is no index: keys are found by a join and a changed row is deleted and inserted again, which costs DuckDB far less
than updating in place or keeping a primary key. Everything here runs inside the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

from engine.diagnostics import plural
from engine.graph import Action
from engine.relation import Column
from engine.run import ImportJob, StoreError

from ..problems import Problem
from ..quoting import quote_name
from .shape import address, ensure_table
from .stage import Staged


@dataclass(frozen=True, slots=True)
class Merged:
    """What the merge did; `problems` are those of `Staged` followed by the ones found here."""

    inserted: int
    updated: int
    deleted: int
    unchanged: int
    problems: tuple[Problem, ...]


def merge_rows(connection: duckdb.DuckDBPyConnection, job: ImportJob, staged: Staged) -> Merged:
    """Do the job's action with the rows of `staged`. `StoreError`: a duplicate key, a change that would lose data."""
    merge = _Merge(connection, job, staged, ensure_table(connection, job.table, job.relation))
    if job.action is not Action.DELETE:
        merge.refuse_duplicates()
    match job.action:
        case Action.INSERT:
            merged = merge.insert()
        case Action.UPDATE:
            merged = merge.update()
        case Action.DELETE:
            return merge.delete()
        case Action.UPSERT:
            merged = merge.upsert()
        case Action.REPLACE:
            merged = merge.replace()
    merge.check_table()
    return merged


@dataclass
class _Merge:
    connection: duckdb.DuckDBPyConnection
    job: ImportJob
    staged: Staged
    columns: Mapping[str, str]
    found: list[Problem] = field(default_factory=list)

    def insert(self) -> Merged:
        """Add new rows. A present row is unchanged if it is equal, and refused otherwise."""
        if not self.staged.keys:
            return self._merged(inserted=self._insert_new())
        self._find_matched()
        self._find_changed()
        problem = self._problem(self.staged.keys[0][0], "another row with this key is there already")
        self._run(f"INSERT INTO rejected SELECT DISTINCT _weir_row, {problem} FROM changed")
        unchanged = self._count(
            "SELECT count(DISTINCT row) FROM matched WHERE row NOT IN (SELECT _weir_row FROM changed)"
        )
        return self._merged(inserted=self._insert_new(), unchanged=unchanged)

    def update(self) -> Merged:
        """Change present rows; ignore the others."""
        self._find_matched()
        updated, unchanged = self._rewrite_changed()
        return self._merged(updated=updated, unchanged=unchanged)

    def delete(self) -> Merged:
        """Delete the rows with these keys."""
        self._find_matched()
        return self._merged(deleted=self._run(f"DELETE FROM {self._table} WHERE rowid IN (SELECT target FROM matched)"))

    def upsert(self) -> Merged:
        """Change present rows and add the others."""
        self._find_matched()
        updated, unchanged = self._rewrite_changed()
        return self._merged(inserted=self._insert_new(), updated=updated, unchanged=unchanged)

    def replace(self) -> Merged:
        """Leave these rows only, except that a refused row keeps the present row with its key."""
        if not self.staged.keys:
            deleted = self._run(f"DELETE FROM {self._table}")
            return self._merged(inserted=self._insert_new(), deleted=deleted)
        self._find_matched()
        deleted = self._run(
            f"DELETE FROM {self._table} AS t WHERE rowid NOT IN (SELECT target FROM matched) "
            f"AND NOT EXISTS (SELECT 1 FROM staged s WHERE s.bad <> 0 AND {self._same_key})"
        )
        updated, unchanged = self._rewrite_changed()
        return self._merged(inserted=self._insert_new(), updated=updated, deleted=deleted, unchanged=unchanged)

    def refuse_duplicates(self) -> None:
        """Two rows of the box for one row of the table fail the step: no rule can choose between them."""
        if not self.staged.keys:
            return
        names = ", ".join(quote_name(name) for _, name in self.staged.keys)
        shown = " || ', ' || ".join(
            f"coalesce(CAST({quote_name(name)} AS VARCHAR), 'NULL')" for _, name in self.staged.keys
        )
        # Rows without a value that is required are refused one by one.
        required = {column.name.casefold() for column in self._required()}
        given = "".join(f" AND {quote_name(n)} IS NOT NULL" for c, n in self.staged.keys if c.casefold() in required)
        duplicates = (
            f"SELECT {shown} AS key, count(*) AS n FROM staged WHERE bad = 0{given} GROUP BY {names} HAVING n > 1"
        )
        total, *_ = self.connection.execute(f"SELECT count(*) FROM ({duplicates})").fetchall()[0]
        if not total:
            return
        some = self.connection.execute(f"{duplicates} ORDER BY n DESC, key LIMIT 3").fetchall()
        examples = ", ".join(f"{str(key)[:100]!r} ({count} rows)" for key, count in some)
        columns = ", ".join(f"`{column}`" for column, _ in self.staged.keys)
        raise StoreError(
            "E602",
            f"the box returns more than one row for {plural(total, 'key')} of `{self.job.table}` "
            f"({columns}): {examples}",
            "make the rows distinct in the box (GROUP BY, or QUALIFY row_number() …), or match more columns",
        )

    def check_table(self) -> None:
        """What must hold of the whole table, old rows included: required columns, and the key where it may break."""
        for column in self._required():
            empty = self._count(f"SELECT count(*) FROM {self._table} WHERE {quote_name(column.name)} IS NULL")
            if empty:
                raise StoreError(
                    "E604",
                    f"column `{column.name}` of `{self.job.table}` is required, but {empty} rows that this step leaves "
                    "alone have none",
                    "fill them first (a step with `action: replace`, or an update), then make the column required",
                )
        if self.job.key and not self._matches_by_key():
            key = ", ".join(quote_name(name) for name in self.job.key)
            duplicates = self._count(
                f"SELECT count(*) FROM (SELECT 1 FROM {self._table} GROUP BY {key} HAVING count(*) > 1)"
            )
            if duplicates:
                raise StoreError(
                    "E602",
                    f"this step would leave {duplicates} keys of `{self.job.table}` with more than one row",
                    "match by the table's key",
                )

    @property
    def _table(self) -> str:
        return address(self.job.table)

    @property
    def _same_key(self) -> str:
        return " AND ".join(
            f"s.{quote_name(name)} IS NOT DISTINCT FROM t.{quote_name(column)}" for column, name in self.staged.keys
        )

    def _matches_by_key(self) -> bool:
        values = {value.name: value.column.name for value in self.staged.values}
        plain = {column.casefold() for column, name in self.staged.keys if values.get(name) == column}
        return plain == {name.casefold() for name in self.job.key}

    def _find_matched(self) -> None:
        """The present rows that match, and whether their values would change, found by one join."""
        if not self.staged.keys:
            raise StoreError("E606", f"`{self.job.action}` into `{self.job.table}` has nothing to match by")
        differs = " OR ".join(
            f"{sql} IS DISTINCT FROM t.{quote_name(name)}"
            for name, sql in self._final_values()
            if sql != f"t.{quote_name(name)}"
        )
        self._run(
            f"CREATE TEMP TABLE matched AS SELECT s.row, t.rowid AS target, ({differs or 'false'}) AS differs "
            f"FROM staged s JOIN {self._table} t ON {self._same_key} WHERE s.bad = 0"
        )

    def _find_changed(self) -> None:
        # Beside the table's columns, which may have any name, stand only names that none of them will have.
        selected = ", ".join(f"{sql} AS {quote_name(name)}" for name, sql in self._final_values())
        self._run(
            f"CREATE TEMP TABLE changed AS SELECT s.row AS _weir_row, t.rowid AS _weir_target, {selected} FROM "
            f"(SELECT row, target FROM matched WHERE differs) m JOIN staged s ON s.row = m.row "
            f"JOIN {self._table} t ON t.rowid = m.target"
        )

    def _rewrite_changed(self) -> tuple[int, int]:
        """Write the changed rows again; how many, and how many matched rows were the same already."""
        self._find_changed()
        matched = self._count("SELECT count(*) FROM matched")
        changed = self._count("SELECT count(*) FROM changed")
        empty = self._first_empty([(column.name, quote_name(column.name)) for column in self._required()])
        if empty:
            self._run(f"INSERT INTO rejected SELECT _weir_row, min({empty}) FROM changed WHERE {empty} <> 0 GROUP BY 1")
            self._run("DELETE FROM changed WHERE _weir_row IN (SELECT row FROM rejected)")
        names = ", ".join(map(quote_name, self.columns))
        self._run(f"DELETE FROM {self._table} WHERE rowid IN (SELECT _weir_target FROM changed)")
        updated = self._run(f"INSERT INTO {self._table} ({names}) SELECT {names} FROM changed")
        return updated, matched - changed

    def _insert_new(self) -> int:
        final = self._new_values()
        fresh = "s.bad = 0"
        if self.staged.keys:
            fresh += " AND s.row NOT IN (SELECT row FROM matched)"
        values = {name.casefold(): sql for name, sql in final}
        required = [(column.name, values.get(column.name.casefold(), "NULL")) for column in self._required()]
        empty = self._first_empty(required)
        if empty:
            self._run(f"INSERT INTO rejected SELECT s.row, {empty} FROM staged s WHERE {fresh} AND {empty} <> 0")
            fresh += f" AND {empty} = 0"
        names = ", ".join(quote_name(name) for name, _ in final)
        return self._run(
            f"INSERT INTO {self._table} ({names}) SELECT {', '.join(sql for _, sql in final)} "
            f"FROM staged s WHERE {fresh}"
        )

    def _required(self) -> tuple[Column, ...]:
        return tuple(column for column in self.job.relation if column.required)

    def _final_values(self) -> list[tuple[str, str]]:
        """Each column of the file with the value that a matched row (`s`, `t`) will have."""
        mapped = {value.column.name.casefold(): value for value in self.staged.values}
        declared = {name.casefold() for name in self.job.relation.names}
        final: list[tuple[str, str]] = []
        for name, kind in self.columns.items():
            value, old = mapped.get(name.casefold()), f"t.{quote_name(name)}"
            if value is None:
                forgotten = self.job.action is Action.REPLACE and name.casefold() in declared
                final.append((name, f"CAST(NULL AS {kind})" if forgotten else old))
            elif value.keeps:
                final.append((name, f"coalesce(s.{quote_name(value.name)}, {old})"))
            else:
                final.append((name, f"s.{quote_name(value.name)}"))
        return final

    def _new_values(self) -> list[tuple[str, str]]:
        """The mapped columns with the value that a new row (`s`) will have."""
        final: list[tuple[str, str]] = []
        for value in self.staged.values:
            sql = f"s.{quote_name(value.name)}"
            later = value.keeps and value.new_default is not None
            final.append((value.column.name, f"coalesce({sql}, {value.new_default})" if later else sql))
        return final

    def _first_empty(self, required: list[tuple[str, str]]) -> str:
        """SQL for the number of the problem of the first required column without a value, 0 if all have one."""
        cases = " ".join(
            f"WHEN {sql} IS NULL THEN {self._problem(name, 'is required and has no value')}" for name, sql in required
        )
        return f"(CASE {cases} ELSE 0 END)" if cases else ""

    def _problem(self, column: str, text: str) -> int:
        self.found.append(Problem(column, text))
        return len(self.staged.problems) + len(self.found)

    def _merged(self, *, inserted: int = 0, updated: int = 0, deleted: int = 0, unchanged: int = 0) -> Merged:
        return Merged(inserted, updated, deleted, unchanged, (*self.staged.problems, *self.found))

    def _run(self, sql: str) -> int:
        rows = self.connection.execute(sql).fetchall()
        return int(rows[0][0]) if rows else 0

    def _count(self, sql: str) -> int:
        return int(self.connection.execute(sql).fetchall()[0][0])
