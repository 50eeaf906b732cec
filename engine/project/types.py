"""The definitions of a project with all names resolved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.diagnostics import Place
from engine.relation import Relation
from engine.spec import ConnectionSpec, InterfaceSpec, SchemaSpec, SettingsSpec, StepSpec


@dataclass(frozen=True, slots=True)
class BoxText:
    """The source of a SQL box (a template) and its place: a value in a YAML file, or a whole .sql file."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection and the place of its definition."""

    spec: ConnectionSpec
    place: Place

    @property
    def name(self) -> str:
        """The alias."""
        return self.spec.name

    @property
    def box(self) -> BoxText | None:
        """The connection's own SQL box."""
        return BoxText(self.spec.sql, self.place.at("sql")) if self.spec.sql is not None else None


@dataclass(frozen=True, slots=True)
class SchemaTable:
    """A table of the Schema. `defaults` are the values that replace missing ones, by column."""

    spec: SchemaSpec
    place: Place
    relation: Relation
    defaults: Mapping[str, str | int | float | bool]

    @property
    def name(self) -> str:
        """The table's name."""
        return self.spec.name

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that identify a row."""
        return self.spec.key


@dataclass(frozen=True, slots=True)
class ResolvedStep:
    """A step with its names resolved. `connection`, `table`, `source` and `box` are None where its kind has none.

    `table` is the table that it writes; `source` is the table that an export reads. A `broken` step names something
    that does not exist: that was reported, and the step is not compiled.
    """

    index: int
    name: str
    spec: StepSpec
    place: Place
    connection: Connection | None
    table: SchemaTable | None
    source: SchemaTable | None
    box: BoxText | None
    broken: bool


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface and its steps."""

    spec: InterfaceSpec
    place: Place
    steps: tuple[ResolvedStep, ...]

    @property
    def name(self) -> str:
        """The interface's name."""
        return self.spec.name


@dataclass(frozen=True, slots=True)
class Project:
    """Everything by name, in order of name."""

    connections: Mapping[str, Connection]
    interfaces: Mapping[str, Interface]
    tables: Mapping[str, SchemaTable]
    settings: SettingsSpec
