"""The definitions of a project, each with its file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from engine.diagnostics import Place

from .case import SuiteSpec
from .connection import ConnectionSpec
from .interface import InterfaceSpec
from .schema import SchemaSpec
from .settings import SettingsSpec

S = TypeVar("S", ConnectionSpec, InterfaceSpec, SchemaSpec, SuiteSpec)


@dataclass(frozen=True, slots=True)
class Defined(Generic[S]):
    """A spec and its file; `place.at("steps", 0)` and the like give places inside it."""

    spec: S
    place: Place


@dataclass(frozen=True, slots=True)
class SpecSet:
    """The valid definitions, in order of file.

    `broken` holds (kind, name) of existing but invalid definitions whose names could be read: references to them are
    not reported again.
    """

    connections: tuple[Defined[ConnectionSpec], ...]
    interfaces: tuple[Defined[InterfaceSpec], ...]
    schemas: tuple[Defined[SchemaSpec], ...]
    settings: SettingsSpec
    broken: frozenset[tuple[str, str]] = frozenset()
