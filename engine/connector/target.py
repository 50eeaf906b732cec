"""What a provider lets one write: entities, the functions that act on them, and the parameters that these take.

Known offline, so that a mapping is checked before any key or request.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

_PATH: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\[[^\[\]]+\])*")
_PART: Final = re.compile(r"[^\[\]]+")


class Effect(StrEnum):
    """What a write does beyond changing data, the gravest first."""

    MONEY = "money"  # moves money, or may make the provider charge somebody
    FINAL = "final"  # cannot be undone: deletes, voids, cancels
    MESSAGE = "message"  # a person gets an e-mail or sees something on a device
    DATA = "data"  # changes data only
    TEST = "test"  # exists in test mode only
    NONE = "none"  # changes nothing that lasts


class ParameterKind(StrEnum):
    """The shape of a parameter's value."""

    TEXT = "text"
    ENUM = "enum"
    INTEGER = "integer"
    NUMBER = "number"
    DECIMAL = "decimal"
    BOOLEAN = "boolean"
    OBJECT = "object"
    MAP = "map"
    LIST = "list"
    FILE = "file"
    ANY = "any"


SCALARS: Final = frozenset(
    {
        ParameterKind.TEXT,
        ParameterKind.ENUM,
        ParameterKind.INTEGER,
        ParameterKind.NUMBER,
        ParameterKind.DECIMAL,
        ParameterKind.BOOLEAN,
    }
)
"""The kinds whose value is one value."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a write. Objects have `fields`, lists an `item`, enums `values` (empty: not known).

    `clears` ones take an empty value, which unsets what is there. `money` is an amount in the currency's minor unit.
    `folded` text is the same in either case, and shown in lower case.
    Text has at most `longest` characters, a map at most `most` keys of at most `longest_key` characters.
    """

    name: str
    kind: ParameterKind
    required: bool = False
    values: tuple[str, ...] = ()
    clears: bool = False
    money: bool = False
    folded: bool = False
    longest: int | None = None
    longest_key: int | None = None
    most: int | None = None
    fields: tuple[Parameter, ...] = ()
    item: Parameter | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """Where an object shows the value of a parameter: a column of its table, and the way down into it."""

    column: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verb:
    """One kind of write. `request` is for people ("POST /v1/customers"); `fixed` are parameters that it always sends.

    `of_object` verbs act on an object that is there, by its id.
    """

    name: str
    request: str
    effect: Effect
    of_object: bool
    parameters: tuple[Parameter, ...] = ()
    fixed: Mapping[str, str] = field(default_factory=dict)


RETIREMENTS: Final = ("delete", "archive", "cancel", "void", "detach")
"""The ways in which an object can be done away with, as `on_missing` names them."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A kind of object that can be written. `name` is that of its table.

    `retire` has the verbs by which one is done away with, by the words of `RETIREMENTS`. `immutable` parameters are
    taken by the create only. With `own_id` the creator may choose the id. `handover` is the boolean parameter of a
    create that takes the `match` parameter named with it away from the object that has it: (parameter, of which).
    `lanes` are the columns that name what writes must not race for, beside the object itself. `minor_units` says how
    many digits a currency's minor unit has.
    """

    name: str
    create: Verb | None = None
    update: Verb | None = None
    retire: Mapping[str, Verb] = field(default_factory=dict)
    immutable: frozenset[str] = frozenset()
    own_id: bool = False
    handover: tuple[str, str] | None = None
    lanes: tuple[str, ...] = ()
    shown: Mapping[str, Shown] = field(default_factory=dict)
    """By the first part of a parameter's path."""
    minor_units: Mapping[str, int] = field(default_factory=dict)

    def see(self, path: str) -> Shown | None:
        """Where objects show this parameter's value; None where they do not."""
        head, *rest = parameter_path(path)
        known = self.shown.get(head)
        if known is None or any(part.isdigit() for part in rest):
            return None
        return Shown(known.column, (*known.path, *rest))


@dataclass(frozen=True, slots=True)
class Function:
    """A function that can be called for a row: any write of an entity. `returns` is the table of what it answers."""

    name: str
    verb: Verb
    returns: str | None
    minor_units: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ParameterProblem:
    """Why a path leads to no parameter. `candidates` are what could stand in place of `part`."""

    message: str
    part: str
    candidates: tuple[str, ...] = ()


def parameter_path(path: str) -> tuple[str, ...]:
    """The parts of `address[city]`: ("address", "city")."""
    return tuple(_PART.findall(path))


def find_parameter(parameters: Sequence[Parameter], path: str) -> Parameter | ParameterProblem:
    """The parameter that a path leads to. A key of a map is a text with the map's limits."""
    if _PATH.fullmatch(path) is None:
        return ParameterProblem(f"`{path}` is no name of a parameter", path)
    parts = parameter_path(path)
    here: Parameter | None = None
    for number, part in enumerate(parts):
        if here is None or here.kind is ParameterKind.OBJECT:
            known = parameters if here is None else here.fields
            found = next((each for each in known if each.name == part), None)
            if found is None:
                where = f" in `{_joined(parts[:number])}`" if number else ""
                names = tuple(each.name for each in known)
                return ParameterProblem(f"no parameter `{part}`{where}", part, names)
            here = found
        elif here.kind is ParameterKind.MAP:
            if here.longest_key is not None and len(part) > here.longest_key:
                return ParameterProblem(f"the key `{part}` has more than {here.longest_key} characters", part)
            here = here.item or Parameter(part, ParameterKind.TEXT, clears=True, longest=here.longest)
        elif here.kind is ParameterKind.LIST and part.isdigit():
            here = here.item or Parameter(part, ParameterKind.ANY)
        elif here.kind is ParameterKind.LIST:
            return ParameterProblem(
                f"`{_joined(parts[:number])}` is a list: write `{_joined(parts[:number])}[0]`", part
            )
        else:
            return ParameterProblem(f"`{_joined(parts[:number])}` is {here.kind}, it has no part `{part}`", part)
    assert here is not None
    return here


def _joined(parts: Sequence[str]) -> str:
    return parts[0] + "".join(f"[{part}]" for part in parts[1:])


class Targets(Protocol):
    """What can be written at one API version; known offline. Read only when a definition writes something."""

    def entities(self) -> Sequence[str]:
        """The names of all entities, sorted."""
        ...

    def entity(self, name: str) -> Entity | None:
        """The entity with this name, or None."""
        ...

    def functions(self) -> Sequence[str]:
        """The names of all functions, sorted."""
        ...

    def function(self, name: str) -> Function | None:
        """The function with this name, or None."""
        ...
