"""Stripe's answers to writes on their way to the mirror, checked like every other row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from engine.connector import AnswerFile, SpooledAnswers

from ..catalogue import Table, load_catalogue
from ..extract.pages import PageReader
from ..extract.rowtypes import row_type
from ..extract.spools import SpoolSet
from .functions import named_writes

_PAGE: Final = 100


class _Answer(msgspec.Struct):
    """The identity of an answered object."""

    object: str = ""
    id: str | None = None
    deleted: bool = False


_ANSWER: Final = msgspec.json.Decoder(_Answer)


def spool_answers(answers: Sequence[tuple[str, bytes]], folder: Path, api_version: str) -> SpooledAnswers:
    """See `Writer.spool`."""
    latest: dict[tuple[str, str], bytes | None] = {}
    for target, body in answers:
        said = _ANSWER.decode(body)
        table = _table_of(target, said.object)
        if table is None or said.id is None:
            continue
        latest.pop((table.name, said.id), None)
        latest[table.name, said.id] = None if said.deleted else body
    gone: dict[str, list[str]] = defaultdict(list)
    kept: dict[str, list[bytes]] = defaultdict(list)
    for (name, identifier), found in latest.items():
        if found is None:
            gone[name].append(identifier)
        else:
            kept[name].append(found)
    files = _spooled(kept, folder, api_version)
    return SpooledAnswers(files, {name: tuple(ids) for name, ids in gone.items()})


def subject_of(target: str, body: bytes) -> tuple[Table, str] | None:
    """The table and id of the answered object; None for what is not a row of a table."""
    said = _ANSWER.decode(body)
    table = _table_of(target, said.object)
    return (table, said.id) if table is not None and said.id is not None else None


def gone_answer(body: bytes) -> bytes:
    """The answer for the same object after its deletion."""
    said = _ANSWER.decode(body)
    return msgspec.json.encode({"id": said.id, "object": said.object, "deleted": True})


def _spooled(kept: dict[str, list[bytes]], folder: Path, api_version: str) -> tuple[AnswerFile, ...]:
    folder.mkdir(parents=True)
    spools = SpoolSet(folder, "", api_version, None)
    for name, bodies in kept.items():
        reader = PageReader(row_type(name), None)
        for start in range(0, len(bodies), _PAGE):
            page = reader.read(b'{"data":[' + b",".join(bodies[start : start + _PAGE]) + b"]}")
            spools.add(name, "retrieve", page)
    return tuple(AnswerFile(Path(file.path), file.rows, file.bucket, file.meta) for file in spools.close())


def _table_of(target: str, kind: str) -> Table | None:
    """The table whose rows are objects of this kind: the one that was written, or one that stands by itself."""
    catalogue = load_catalogue()
    named = named_writes().get(target)
    own = catalogue.tables[named.table] if named is not None else None
    if own is not None and _holds(own, kind):
        return own
    return next((table for table in catalogue.tables.values() if _holds(table, kind) and not table.parents), None)


def _holds(table: Table, kind: str) -> bool:
    resources = load_catalogue().resources
    return any(resources[name].object == kind for name in table.resources)
