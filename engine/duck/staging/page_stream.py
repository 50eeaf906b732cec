"""Page bodies as an Arrow C stream, made by hand: DuckDB reads the bytes where they lie, and pyarrow is not needed.

The stream has two columns: `body` (the bytes of a page) and `part` (which spool file it came from, an index). Bodies
are binary views: a batch points to some pages wherever they lie, so that nothing is copied.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable, Iterator
from ctypes import CFUNCTYPE, POINTER, Structure, addressof, c_char_p, c_int, c_int32, c_int64, c_void_p, pointer
from itertools import islice
from typing import Any, Final

Page = tuple[int, bytes | memoryview]
"""The index of the page's file, and its bytes."""

BATCH: Final = 8
"""Pages in a batch: the rows of fewer leave DuckDB's vectors half empty, those of more do not fit into one."""


class _Schema(Structure):
    _fields_ = (
        ("format", c_char_p),
        ("name", c_char_p),
        ("metadata", c_char_p),
        ("flags", c_int64),
        ("n_children", c_int64),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


class _Array(Structure):
    _fields_ = (
        ("length", c_int64),
        ("null_count", c_int64),
        ("offset", c_int64),
        ("n_buffers", c_int64),
        ("n_children", c_int64),
        ("buffers", c_void_p),
        ("children", c_void_p),
        ("dictionary", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


class _Stream(Structure):
    _fields_ = (
        ("get_schema", c_void_p),
        ("get_next", c_void_p),
        ("get_last_error", c_void_p),
        ("release", c_void_p),
        ("private_data", c_void_p),
    )


_GetSchema = CFUNCTYPE(c_int, c_void_p, POINTER(_Schema))
_GetNext = CFUNCTYPE(c_int, c_void_p, POINTER(_Array))
_GetLastError = CFUNCTYPE(c_void_p, c_void_p)
_ReleaseStream = CFUNCTYPE(None, POINTER(_Stream))
_ReleaseArray = CFUNCTYPE(None, POINTER(_Array))
_ReleaseSchema = CFUNCTYPE(None, POINTER(_Schema))

_EIO: Final = 5
_CAPSULE_NAME: Final = b"arrow_array_stream"
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = (c_void_p, c_char_p, c_void_p)


def _address(function: Any) -> int | None:
    return ctypes.cast(function, c_void_p).value


class PageStream:
    """An object with `__arrow_c_stream__` whose pages DuckDB can read once: register it and select from it.

    `open_pages` is called when the first page is requested; an exception in it aborts the statement and stays in
    `failure`. The object must live until the statement has ended.
    """

    def __init__(self, open_pages: Callable[[], Iterator[Page]]) -> None:
        self._open_pages = open_pages
        self._pages: Iterator[Page] | None = None
        self._message: ctypes.Array[ctypes.c_char] | None = None
        self._kept: dict[int, object] = {}
        self._streams: list[_Stream] = []
        self._next_id = 0
        self.failure: BaseException | None = None
        self._get_schema = _GetSchema(self._give_schema)
        self._get_next = _GetNext(self._give_next)
        self._get_last_error = _GetLastError(self._give_error)
        self._release_stream = _ReleaseStream(_forget)
        self._release_array = _ReleaseArray(self._drop_array)
        self._release_schema = _ReleaseSchema(_forget)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """A capsule with the stream; its schema may be requested any number of times, its pages once."""
        stream = _Stream(
            _address(self._get_schema),
            _address(self._get_next),
            _address(self._get_last_error),
            _address(self._release_stream),
            None,
        )
        self._streams.append(stream)
        return _new_capsule(addressof(stream), _CAPSULE_NAME, None)

    def close(self) -> None:
        """Stop reading pages, closing what `open_pages` opened."""
        close = getattr(self._pages, "close", None)
        if close is not None:
            close()
        self._kept.clear()

    def _give_schema(self, _stream: int, out: Any) -> int:
        release = _address(self._release_schema)
        columns = [_Schema(kind, name, None, 0, 0, None, None, release, None) for kind, name in _COLUMNS]
        children = (POINTER(_Schema) * len(columns))(*(pointer(column) for column in columns))
        key = self._keep((columns, children))
        out[0] = _Schema(b"+s", b"", None, 0, len(columns), addressof(children), None, release, key)
        return 0

    def _give_next(self, _stream: int, out: Any) -> int:
        try:
            if self._pages is None:
                self._pages = self._open_pages()
            pages = list(islice(self._pages, BATCH))
            if pages:
                self._fill(out, pages)
            else:
                out[0].release = None
        except BaseException as failure:  # noqa: BLE001 - an exception cannot cross the C frame; the caller raises it
            self.failure = failure
            return _EIO
        return 0

    def _fill(self, out: Any, pages: list[Page]) -> None:
        count = len(pages)
        bodies = [memoryview(body) for _, body in pages]
        release = _address(self._release_array)
        views = b"".join(_view(index, body) for index, body in enumerate(bodies))
        sizes = (c_int64 * count)(*(body.nbytes for body in bodies))
        parts = (c_int32 * count)(*(part for part, _ in pages))
        body_buffers = (c_void_p * (count + 3))(
            None, _buffer_address(memoryview(views)), *map(_buffer_address, bodies), addressof(sizes)
        )
        part_buffers = (c_void_p * 2)(None, addressof(parts))
        own_buffers = (c_void_p * 1)(None)
        arrays = [
            _Array(count, 0, 0, count + 3, 0, addressof(body_buffers), None, None, release, None),
            _Array(count, 0, 0, 2, 0, addressof(part_buffers), None, None, release, None),
        ]
        children = (POINTER(_Array) * 2)(*(pointer(array) for array in arrays))
        kept = (bodies, views, sizes, parts, body_buffers, part_buffers, own_buffers, arrays, children)
        key = self._keep(kept)
        out[0] = _Array(count, 0, 0, 1, 2, addressof(own_buffers), addressof(children), None, release, key)

    def _give_error(self, _stream: int) -> int | None:
        text = f"{type(self.failure).__name__}: {self.failure}".encode("utf-8", "replace")
        self._message = ctypes.create_string_buffer(text)
        return addressof(self._message)

    def _keep(self, thing: object) -> int:
        self._next_id += 1
        self._kept[self._next_id] = thing
        return self._next_id

    def _drop_array(self, array: Any) -> None:
        key = array[0].private_data
        array[0].release = None
        if key is not None:
            self._kept.pop(key, None)


_COLUMNS: Final = ((b"vz", b"body"), (b"i", b"part"))
_INLINE: Final = struct.Struct("<i12s")
_VIEW: Final = struct.Struct("<i4sii")


def _view(buffer: int, body: memoryview) -> bytes:
    """A binary view of a value: short ones are in the view itself, others in their buffer at a position."""
    size = body.nbytes
    if size <= 12:
        return _INLINE.pack(size, bytes(body))
    return _VIEW.pack(size, bytes(body[:4]), buffer, 0)


def _forget(struct: Any) -> None:
    struct[0].release = None


class _PyBuffer(Structure):
    _fields_ = (
        ("buf", c_void_p),
        ("obj", ctypes.py_object),
        ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t),
        ("readonly", c_int),
        ("ndim", c_int),
        ("format", c_char_p),
        ("shape", c_void_p),
        ("strides", c_void_p),
        ("suboffsets", c_void_p),
        ("internal", c_void_p),
    )


_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.argtypes = (ctypes.py_object, POINTER(_PyBuffer), c_int)
_release_buffer = ctypes.pythonapi.PyBuffer_Release
_release_buffer.argtypes = (POINTER(_PyBuffer),)


def _buffer_address(view: memoryview) -> int:
    """Where a buffer begins. The caller keeps `view`, which holds the buffer in place."""
    buffer = _PyBuffer()
    _get_buffer(view, buffer, 0)
    try:
        return buffer.buf or 0
    finally:
        _release_buffer(buffer)
