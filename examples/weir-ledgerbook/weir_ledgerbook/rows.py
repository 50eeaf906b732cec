"""Objects of Ledgerbook as rows of spool files: known fields of known types, the rest in `_extra`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from engine.connector.spool import SpoolWriter
from engine.relation import Kind

from .catalogue import API_VERSION, CATALOGUE

_PYTHON: Final[Mapping[Kind, type]] = {Kind.TEXT: str, Kind.TIMESTAMP: str, Kind.INTEGER: int, Kind.BOOLEAN: bool}


@dataclass(slots=True)
class Spool:
    """The files of an attempt, one a table and way of reading."""

    folder: Path
    livemode: bool
    rows: Counter[str] = field(default_factory=Counter)
    pages: int = 0
    bytes: int = 0
    _writers: dict[tuple[str, str], SpoolWriter] = field(default_factory=dict)
    _drift: dict[tuple[str, str], Counter[tuple[str, str]]] = field(default_factory=dict)

    def add(self, table: str, source: str, objects: Sequence[Mapping[str, Any]]) -> None:
        """Append a page of objects."""
        if not objects:
            return
        place = (table, source)
        drift = self._drift.setdefault(place, Counter())
        page = json.dumps({"data": [_fitted(table, each, drift) for each in objects]}).encode()
        if place not in self._writers:
            self._writers[place] = SpoolWriter(self.folder / f"{table}-{source}.spool")
        self._writers[place].write(page, len(objects))
        self.rows[table] += len(objects)
        self.pages += 1
        self.bytes += len(page)

    def close(self) -> list[tuple[str, Path, int, dict[str, Any]]]:
        """End the files: (table, path, rows, meta) of each."""
        found = []
        for (table, source), writer in self._writers.items():
            writer.close()
            drift = [[name, problem, rows] for (name, problem), rows in sorted(self._drift[table, source].items())]
            meta = {
                "account": None,
                "livemode": self.livemode,
                "api_version": API_VERSION,
                "source": source,
                "extra": bool(drift),
                "drift": drift,
            }
            found.append((table, writer.path, writer.rows, meta))
        return found


def _fitted(table: str, given: Mapping[str, Any], drift: Counter[tuple[str, str]]) -> dict[str, Any]:
    relation = CATALOGUE.tables[table].relation
    row: dict[str, Any] = {}
    extra: dict[str, Any] = {}
    for name, value in given.items():
        column = None if name.startswith("_") else relation.find(name)
        if column is not None and (value is None or type(value) is _PYTHON[column.type.kind]):
            row[name] = value
        else:
            extra[name] = value
            drift[name, "unknown" if column is None else "mistyped"] += 1
    return row | ({"_extra": extra} if extra else {})
