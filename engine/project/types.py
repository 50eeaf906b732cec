"""What the definitions mean together: every name is linked to the thing it names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.diagnostics import Place
from engine.relation import Relation
from engine.spec import ConnectionSpec, InterfaceSpec, SchemaSpec, SettingsSpec, StepSpec


@dataclass(frozen=True, slots=True)
class BoxText:
    """A SQL box as it was written (a template), and where: a value in a YAML file, or a whole .sql file."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection and where it is defined."""

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
class Table:
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
    """A step whose names were found. `connection`, `table`, `source` and `box` are what its kind has; None otherwise.

    `table` is what it writes; `source` is the table an export reads. A step with `broken` names something that does not
    exist: that was reported, and the step is left out of what follows.
    """

    index: int
    name: str
    spec: StepSpec
    place: Place
    connection: Connection | None
    table: Table | None
    source: Table | None
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
    tables: Mapping[str, Table]
    settings: SettingsSpec
