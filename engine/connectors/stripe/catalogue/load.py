"""The committed catalogue, read."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from .model import Catalogue, Param

CATALOGUE_FILE: Final = "catalogue.json.gz"
PARAMS_FILE: Final = "params.json.gz"
"""The data files beside this module. Written by `python -m tools.stripe_catalogue`."""


@cache
def load_catalogue() -> Catalogue:
    """The catalogue of the pinned API version. Read once a process; the same object every time."""
    return msgspec.json.decode(_read(CATALOGUE_FILE), type=Catalogue)


@cache
def load_params() -> Mapping[str, tuple[Param, ...]]:
    """The parameters of every write, `expand` aside, by `Write.key` and in order of name. Read once a process."""
    return msgspec.json.decode(_read(PARAMS_FILE), type=dict[str, tuple[Param, ...]])


def _read(name: str) -> bytes:
    return gzip.decompress(files(__package__).joinpath(name).read_bytes())
