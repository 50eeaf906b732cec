"""Spool files: pages of JSON on their way from an extraction to staging.

A spool file is `MAGIC`, then frames, then an end mark. A frame is its length (unsigned 32 bits, little endian) and so
many bytes of payload. The end mark is a frame of length 0 followed by the number of frames and the number of rows
(unsigned 64 bits, little endian, each): a file without it was cut short.

The payload of a frame is one page in UTF-8 JSON: an object with a list `data` of objects, and maybe more members
(`has_more`, `url` …), which do not matter. Whoever writes the file proves that each object of `data` fits the table:
no unknown field, no value of another type. What does not fit stands, in files whose `OutputFile.meta` says
`extra: true`, in the member `_extra` of its object (an object of field → value); objects without misfits lack `_extra`.

`OutputFile` of an extraction: `bucket` is the table; `meta` holds
- `account`: the account's id, or null for the key's own,
- `livemode`: whether the rows are live ones, `api_version`: the version they came in,
- `source`: how they were read: "list", "retrieve", "parents" or "embedded",
- `extra`: whether objects may carry `_extra`,
- `drift`: [[field, "unknown" | "mistyped", rows], …] of this file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MAGIC: Final = b"WEIRSPL1"
_LENGTH: Final = struct.Struct("<I")
_END: Final = struct.Struct("<IQQ")


class SpoolError(Exception):
    """The file is no spool file, or was cut short."""


class SpoolWriter:
    """Appends pages to a new file. Until `close`, readers refuse the file as cut short."""

    __slots__ = ("_file", "bytes", "frames", "path", "rows")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.frames = 0
        self.rows = 0
        self.bytes = 0
        """Payload bytes so far."""
        self._file = path.open("xb", buffering=1 << 18)
        self._file.write(MAGIC)

    def write(self, page: bytes, rows: int) -> None:
        """Append a page (not empty) that holds so many rows."""
        if not page:
            raise ValueError("expected a page, got no bytes")
        self._file.write(_LENGTH.pack(len(page)))
        self._file.write(page)
        self.frames += 1
        self.rows += rows
        self.bytes += len(page)

    def close(self) -> None:
        """Write the end mark. Closing again does nothing."""
        if not self._file.closed:
            self._file.write(_END.pack(0, self.frames, self.rows))
            self._file.close()

    def abandon(self) -> None:
        """Close without the end mark: the file stays unreadable."""
        self._file.close()


def read_pages(path: Path) -> Iterator[bytes]:
    """The pages of a spool file, in order. `SpoolError` when it is none or was cut short (after the whole pages)."""
    with path.open("rb", buffering=1 << 18) as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise SpoolError(f"{path.name} is no spool file")
        frames = 0
        while True:
            head = file.read(_LENGTH.size)
            if len(head) != _LENGTH.size:
                raise SpoolError(f"{path.name} was cut short")
            (length,) = _LENGTH.unpack(head)
            if length == 0:
                break
            page = file.read(length)
            if len(page) != length:
                raise SpoolError(f"{path.name} was cut short")
            frames += 1
            yield page
        tail = file.read(_END.size - _LENGTH.size)
        if len(tail) != _END.size - _LENGTH.size or _END.unpack(head + tail)[1] != frames:
            raise SpoolError(f"{path.name} was cut short")
