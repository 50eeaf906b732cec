"""Storage of one key's buckets: in memory, or in a small file shared by all processes of this machine."""

from __future__ import annotations

import os
import struct
import threading
import time
from collections.abc import Callable, Sequence
from hashlib import blake2b
from math import isnan
from pathlib import Path
from typing import Final, Protocol, TypeVar

from engine.locks import try_lock, unlock

from .bucket import Bucket

T = TypeVar("T")

_MAGIC: Final = b"weir limits 2\n".ljust(16, b"\0")
_RECORD: Final = struct.Struct("<Qd" + "dddq" + "10d")
_PLACE: Final = 128
_PLACES: Final = 512
_FILE: Final = len(_MAGIC) + _PLACE * _PLACES
_PROBES: Final = 8
_LOCK_TRIES: Final = 200
_LOCK_PAUSE: Final = 0.001
_ALONE_SECONDS: Final = 5.0
_LONGEST_HOLD: Final = 120.0
_LONGEST_QUEUE: Final = 900.0
_REMEMBERED: Final = 3600.0


class Buckets(Protocol):
    """The buckets of one key, by name. A new name gets an empty bucket."""

    def change(self, names: Sequence[str], act: Callable[[Sequence[Bucket]], T]) -> T:
        """Return what `act` returns for the buckets, which it may change under an exclusive lock."""
        ...

    def epoch(self, name: str) -> int:
        """The present epoch of a bucket."""
        ...

    def close(self) -> None:
        """Release what is held open."""
        ...


class MemoryBuckets:
    """Buckets of this process. They may be used by several threads."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def change(self, names: Sequence[str], act: Callable[[Sequence[Bucket]], T]) -> T:
        """See `Buckets.change`."""
        with self._lock:
            return act([self._bucket(name) for name in names])

    def epoch(self, name: str) -> int:
        """See `Buckets.epoch`."""
        return self._bucket(name).epoch

    def close(self) -> None:
        """Nothing is held open."""

    def _bucket(self, name: str) -> Bucket:
        found = self._buckets.get(name)
        return found if found is not None else self._buckets.setdefault(name, Bucket())


class FileBuckets:
    """Buckets in the file at `path`, created with mode 0600. OSError when that is impossible.

    Implausible records (a torn write, a restarted clock, another layout) count as unknown. The lock is held for
    microseconds; while a stopped process holds it, this one continues with buckets of its own.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._file = os.open(path, flags, 0o600)
        self._now = now
        self._known: dict[str, tuple[int, int]] = {}
        self._spare = MemoryBuckets()
        self._alone_until = now()
        self._thread = threading.Lock()
        try:
            if os.fstat(self._file).st_uid != os.geteuid():
                raise PermissionError(f"{path} belongs to another user")
            os.utime(self._file)
            if self._lock():
                self._prepare()
                self._unlock()
        except BaseException:
            self.close()
            raise

    def change(self, names: Sequence[str], act: Callable[[Sequence[Bucket]], T]) -> T:
        """See `Buckets.change`."""
        with self._thread:
            if not self._lock():
                return self._spare.change(names, act)
            try:
                now = self._now()
                found = [self._read(name, now) for name in names]
                result = act([bucket for _, _, bucket in found])
                for number, place, bucket in found:
                    self._write(number, place, bucket, now)
                return result
            finally:
                self._unlock()

    def epoch(self, name: str) -> int:
        """See `Buckets.epoch`. Read without the lock: at worst a grant is requested once more."""
        with self._thread:
            if self._now() < self._alone_until:
                return self._spare.epoch(name)
            return self._read(name, self._now())[2].epoch

    def close(self) -> None:
        """See `Buckets.close`."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _lock(self) -> bool:
        if self._now() < self._alone_until:
            return False
        for _ in range(_LOCK_TRIES):
            if try_lock(self._file):
                return True
            time.sleep(_LOCK_PAUSE)
        self._alone_until = self._now() + _ALONE_SECONDS
        return False

    def _unlock(self) -> None:
        unlock(self._file)

    def _prepare(self) -> None:
        """Initialise the file's layout, unless it is there."""
        if os.pread(self._file, len(_MAGIC), 0) != _MAGIC or os.fstat(self._file).st_size != _FILE:
            os.ftruncate(self._file, 0)
            os.ftruncate(self._file, _FILE)
            os.pwrite(self._file, _MAGIC, 0)

    def _read(self, name: str, now: float) -> tuple[int, int, Bucket]:
        """The hash of a name, the offset of its record, and the bucket there."""
        known = self._known.get(name)
        if known is not None:
            record = os.pread(self._file, _RECORD.size, known[1])
            if int.from_bytes(record[:8], "little") == known[0]:
                return (*known, _bucket(record, now))
        number = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "little") or 1
        place = self._known[name] = (number, self._find(number))
        record = os.pread(self._file, _RECORD.size, place[1])
        same = int.from_bytes(record[:8], "little") == number
        return (*place, _bucket(record, now) if same else Bucket())

    def _find(self, number: int) -> int:
        """The offset of a record: its own, or the first free one; where all are taken, one is overwritten."""
        places = [len(_MAGIC) + (number + step) % _PLACES * _PLACE for step in range(_PROBES)]
        holders = [int.from_bytes(os.pread(self._file, 8, place), "little") for place in places]
        for holder in (number, 0):
            if holder in holders:
                return places[holders.index(holder)]
        return places[0]

    def _write(self, number: int, place: int, bucket: Bucket, now: float) -> None:
        fields = (
            *(bucket.rate, bucket.next, bucket.held, bucket.epoch, bucket.room, bucket.room_at, bucket.peak),
            *(bucket.rejected, bucket.patience, bucket.gain, bucket.began),
            *(bucket.answers, bucket.idle, bucket.barren),
        )
        os.pwrite(self._file, _RECORD.pack(number, now, *fields), place)


def _bucket(record: bytes, now: float) -> Bucket:
    """The bucket of a record; an empty one if the record is old or implausible."""
    if len(record) < _RECORD.size:
        return Bucket()
    _, written, *fields = _RECORD.unpack(record)
    bucket = Bucket(*fields)
    fresh = now - _REMEMBERED <= written <= now + 1
    if not fresh or any(isnan(field) for field in fields) or not _is_plausible(bucket, now):
        return Bucket()
    return bucket


def _is_plausible(bucket: Bucket, now: float) -> bool:
    return (
        bucket.rate > 0
        and bucket.room >= 1
        and bucket.patience >= 0
        and bucket.answers >= 0
        and bucket.idle >= 0
        and bucket.next <= now + _LONGEST_QUEUE
        and bucket.held <= now + _LONGEST_HOLD
        and bucket.rejected <= now + 1
        and bucket.began <= now + 1
        and 0 <= bucket.gain <= 1
        and 0 <= bucket.barren <= 100
    )
