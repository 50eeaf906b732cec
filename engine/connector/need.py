"""What a SQL box needs of a source, and what a connector will request to answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Value = str | int | float | bool
"""A comparison's right-hand side. Timestamps are integers: Unix seconds."""


class Op(StrEnum):
    """The comparisons that a source may be able to answer by itself."""

    EQ = "="
    IN = "in"
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


@dataclass(frozen=True, slots=True, order=True)
class Predicate:
    """`column op value`; for `IN`, `values` holds the list (sorted, without duplicates), otherwise one value."""

    column: str
    op: Op
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """The rows and columns of one source table that a SQL box reads.

    `where` is a disjunction of conjunctions: a row is needed when one of the inner tuples holds entirely. `((),)`
    means every row; `()` means none. It always includes every row that the box could see: comparisons that cannot be
    expressed are omitted, and more is fetched. `limit` is set only where any (or, with `newest_first`, the newest) that
    many rows give the box's result.
    """

    table: str
    columns: tuple[str, ...]
    where: tuple[tuple[Predicate, ...], ...] = ((),)
    limit: int | None = None
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """A request as `plan` shows it and `run` makes it: parameters as the provider's query string writes them.

    `per` is set when the request is made once for each row of another table ("invoices").
    """

    method: str
    path: str
    params: Mapping[str, str]
    per: str | None = None


@dataclass(frozen=True, slots=True)
class Read:
    """How one source table will be read. JSON both ways: it is part of the plan and the payload of the extraction.

    `requests` are the distinct kinds of requests, paging aside. `why` explains in a sentence what was pushed down
    and what was not. `options` is the connector's own (JSON values only). `cost` is an estimate of the requests it will
    make, where a mirror allows one.
    """

    table: str
    columns: tuple[str, ...]
    where: tuple[tuple[Predicate, ...], ...]
    requests: tuple[Request, ...]
    why: str
    limit: int | None = None
    options: Mapping[str, object] | None = None
    cost: int | None = None
