"""Encodes a catalogue as compressed JSON without default values."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum

import msgspec


def encode(value: object) -> bytes:
    """Deterministic bytes: no timestamp and no file name."""
    return gzip.compress(msgspec.json.encode(_plain(value)), compresslevel=9, mtime=0)


def decode(data: bytes) -> object:
    """The encoded value as plain dicts and lists."""
    return msgspec.json.decode(gzip.decompress(data))


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: _plain(getattr(value, each.name))
            for each in fields(value)
            if not _is_default(getattr(value, each.name), each.default, each.default_factory)
        }
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _is_default(value: object, default: object, factory: object) -> bool:
    if default is not MISSING:
        return value == default
    return callable(factory) and value == factory()
