"""Decodes files: UTF-8 only."""

from __future__ import annotations

import codecs

from engine.diagnostics import Collector, Place

_OTHER_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def decode(file: str, raw: bytes, collector: Collector) -> tuple[str, bool]:
    """The text of a file, and whether it may be used.

    Invalid UTF-8 is reported at its first byte; the text then contains U+FFFD for each invalid byte. A UTF-8 byte order
    mark is dropped, with a warning.
    """
    for mark, name in _OTHER_MARKS:
        if raw.startswith(mark):
            _refuse(file, f"expected UTF-8, found {name}", 0, collector)
            return "", False
    if raw.startswith(codecs.BOM_UTF8):
        raw = raw[len(codecs.BOM_UTF8) :]
        hint = "save the file as UTF-8 without a byte order mark"
        collector.report("W102", "the file begins with a byte order mark", Place(file), hint=hint)
    try:
        return raw.decode("utf-8"), True
    except UnicodeDecodeError as error:
        offset = len(raw[: error.start].decode("utf-8"))
        _refuse(file, f"expected UTF-8, found the byte 0x{raw[error.start]:02x}", offset, collector)
        return raw.decode("utf-8", errors="replace"), False


def _refuse(file: str, message: str, offset: int, collector: Collector) -> None:
    place = Place(file, on="text").within(offset, offset + 1)
    collector.report("E102", message, place, hint="save the file as UTF-8")
