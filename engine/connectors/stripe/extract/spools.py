"""The spool files of one attempt: one for each table, way of reading, mode, and whether rows carry `_extra`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from engine.connector.spool import SpoolWriter
from engine.run import OutputFile

from .pages import Drift, Page


@dataclass(slots=True)
class _Open:
    writer: SpoolWriter
    drift: Drift = field(default_factory=Counter)


@dataclass(slots=True)
class SpoolSet:
    """Writes pages of an account below `directory`; `close` returns what was written, `abandon` discards it.

    `account` is empty for the key's own. `livemode` None: each page has its own.
    """

    directory: Path
    account: str
    api_version: str
    livemode: bool | None
    pages: int = 0
    rows: int = 0
    bytes: int = 0
    rows_by_table: Counter[str] = field(default_factory=Counter)
    requests_by_table: Counter[str] = field(default_factory=Counter)
    """Without repeated ones. The request for the account of the key is counted under `ACCOUNT`."""
    _open: dict[tuple[str, str, bool, bool], _Open] = field(default_factory=dict)

    def add(self, table: str, source: str, page: Page) -> None:
        """Append a page. One without rows is skipped."""
        count = len(page.rows)
        if count == 0:
            return
        extra = page.extra or source == "event"  # one file, in which the last form of an object is the latest one
        key = (table, source, extra, self._livemode_of(page))
        spool = self._open.get(key)
        if spool is None:
            spool = self._open[key] = _Open(SpoolWriter(self.directory / _file_name(*key)))
        spool.writer.write(page.body, count)
        if page.drift:
            spool.drift.update(page.drift)
        self.pages += 1
        self.rows += count
        self.bytes += len(page.body)
        self.rows_by_table[table] += count

    def close(self) -> tuple[OutputFile, ...]:
        """Complete the files, in order of their names."""
        files = []
        for key in sorted(self._open):
            (table, source, extra, livemode), spool = key, self._open[key]
            spool.writer.close()
            files.append(
                OutputFile(
                    path=str(spool.writer.path),
                    rows=spool.writer.rows,
                    bucket=table,
                    meta={
                        "account": self.account,
                        "livemode": livemode,
                        "api_version": self.api_version,
                        "source": source,
                        "extra": extra,
                        "drift": [[name, problem, rows] for (name, problem), rows in sorted(spool.drift.items())],
                    },
                )
            )
        return tuple(files)

    def abandon(self) -> None:
        """Leave the files incomplete."""
        for spool in self._open.values():
            spool.writer.abandon()

    def _livemode_of(self, page: Page) -> bool:
        if self.livemode is not None:
            return self.livemode
        return bool(getattr(page.rows[0], "f_livemode", False))


def _file_name(table: str, source: str, extra: bool, livemode: bool) -> str:
    return f"{table}.{source}.{'live' if livemode else 'test'}{'.extra' if extra else ''}.spool"
