"""Every write of the catalogue under a name that people can say: `customers.update`, `invoices.finalize`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final

from engine.connector import Effect, Function, Parameter, ParameterKind, Verb

from ..catalogue import Param, ParamType, Table, Write, WriteKind, load_catalogue, load_params
from ..currencies import DECIMALS

METADATA_KEYS: Final = 50
METADATA_KEY_LENGTH: Final = 40
METADATA_VALUE_LENGTH: Final = 500
_PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
_AMOUNTS: Final = frozenset({"amount", "balance"})
_AMOUNT_LIKE: Final = re.compile(r"(^|_)amount(_|$)")


@dataclass(frozen=True, slots=True)
class NamedWrite:
    """A write and how it is addressed: `object` is the placeholder of its path that the object's id takes, if it acts
    on one; `above` are those before it, which are parameters like others."""

    name: str
    table: str
    write: Write
    object: str | None
    above: tuple[str, ...]


@cache
def named_writes() -> Mapping[str, NamedWrite]:
    """All writes that have a table, by name, in order of name. The first of several that one name could mean."""
    catalogue = load_catalogue()
    found: dict[str, NamedWrite] = {}
    for table in catalogue.tables.values():
        for index in table.writes:
            write = catalogue.writes[index]
            if write.base == "api" and write.path.startswith("/v1/"):
                named = _named(table, write)
                found.setdefault(named.name, named)
    return MappingProxyType(dict(sorted(found.items())))


def find_function(name: str) -> Function | None:
    """The function with this name, or None."""
    named = named_writes().get(name)
    if named is None:
        return None
    return Function(name, verb_of(named), _answered_table(named), DECIMALS)


def verb_of(named: NamedWrite, fixed: Mapping[str, str] | None = None) -> Verb:
    """The verb of a write, its parameters with it. Parameters that are `fixed` cannot be given."""
    write = named.write
    params = load_params().get(write.key, ())
    own = [parameter_of(param, write) for param in params if param.name not in (fixed or {})]
    above = [Parameter(name, ParameterKind.TEXT, required=True) for name in named.above]
    return Verb(
        name=named.name,
        request=f"{write.method.upper()} {write.path}",
        effect=Effect(write.effect.value),
        of_object=named.object is not None,
        parameters=(*above, *own),
        fixed=dict(fixed or {}),
    )


def parameter_of(param: Param, write: Write, *, nested: bool = False) -> Parameter:
    """A parameter of the catalogue as the engine knows it, what is in it with it."""
    kind = ParameterKind(param.type.value)
    metadata = param.type is ParamType.MAP and param.name == "metadata"
    return Parameter(
        name=param.name,
        kind=kind,
        required=param.required,
        values=param.values,
        clears=param.unset or _text_clears(param, write, nested=nested),
        money=kind is ParameterKind.INTEGER and is_amount(param.name),
        folded=param.name == "currency",
        longest=METADATA_VALUE_LENGTH if metadata else None,
        longest_key=METADATA_KEY_LENGTH if metadata else None,
        most=METADATA_KEYS if metadata else None,
        fields=tuple(parameter_of(each, write, nested=True) for each in param.fields),
        item=parameter_of(param.item, write, nested=True) if param.item is not None else None,
    )


def is_amount(name: str) -> bool:
    """Whether an integer parameter of this name is money in a currency's minor unit."""
    return name in _AMOUNTS or _AMOUNT_LIKE.search(name) is not None


def _text_clears(param: Param, write: Write, *, nested: bool) -> bool:
    """Whether "" takes a text away: where the object may be without, or in a part of something larger."""
    if param.type is not ParamType.TEXT or write.kind is WriteKind.CREATE:
        return False
    if nested:
        return not param.required
    kinds = [load_catalogue().resources.get(name) for name in write.returns]
    fields = [kind.find(param.name) for kind in kinds if kind is not None]
    return any(field is not None and field.nullable for field in fields)


def _named(table: Table, write: Write) -> NamedWrite:
    names = _PLACEHOLDER.findall(write.path)
    of_object = bool(names) and write.kind is not WriteKind.CREATE
    return NamedWrite(
        name=f"{table.name}.{_word(table, write)}",
        table=table.name,
        write=write,
        object=names[-1] if of_object else None,
        above=tuple(names[:-1] if of_object else names),
    )


def _word(table: Table, write: Write) -> str:
    """`finalize` for the invoices' `finalize_invoice`; `update_cash_balance` for what is not the table's own kind."""
    tail = write.resource.rpartition(".")[2]
    if write.resource in table.resources:
        return write.verb.removesuffix(f"_{tail}") or write.verb
    return write.verb if tail in write.verb else f"{write.verb}_{tail}"


def _answered_table(named: NamedWrite) -> str | None:
    """The table whose rows the answers are: the one that is acted on, if it answers with its own kind."""
    catalogue = load_catalogue()
    if set(named.write.returns) & set(catalogue.tables[named.table].resources):
        return named.table
    for table in catalogue.tables.values():
        if table.resources == named.write.returns and not table.parents:
            return table.name
    return None
