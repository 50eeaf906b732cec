"""Converts the filters that EXPLAIN prints into predicates that a source can evaluate.

A small strict parser reads them. Anything it does not recognize becomes `UNKNOWN`, which every row passes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from engine.connector import Op, Predicate, Value
from engine.relation import Kind, Relation

Disjunction = tuple[tuple[Predicate, ...], ...]
EVERY_ROW: Final[Disjunction] = ((),)
_MAX_DISJUNCTS: Final = 32

_TOKEN: Final = re.compile(
    r"\s+|(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?![\w.]))|(?P<word>[A-Za-z_]\w*)|(?P<sign>::|<=|>=|!=|<>|[()=<>,:])"
    r"|(?P<other>.)",
    re.DOTALL,
)
_COMPARISONS: Final = {"=": Op.EQ, "<": Op.LT, "<=": Op.LE, ">": Op.GT, ">=": Op.GE}
_MIRRORED: Final = {Op.EQ: Op.EQ, Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Condition:
    """A filter on rows. `where` accepts every row that passes; with `exact`, it accepts no other row."""

    where: Disjunction
    exact: bool


UNKNOWN: Final = Condition(EVERY_ROW, exact=False)
_NO_CONDITION: Final = Condition(EVERY_ROW, exact=True)


class _UnreadableError(Exception):
    """The parser does not recognize the text."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Constant:
    text: str
    type: str  # "text", "number" or DuckDB's name of the type that follows `::`


def split_filters(lines: str | list[str]) -> list[str]:
    """EXPLAIN's `Filters`: one text a filter. A line end inside a literal does not end a filter."""
    text = lines if isinstance(lines, str) else "\n".join(lines)
    found, start, quoted = [], 0, False
    for index, char in enumerate(text):
        if char == "'":
            quoted = not quoted
        elif char == "\n" and not quoted:
            found.append(text[start:index])
            start = index + 1
    return [each for each in (*found, text[start:]) if each.strip()]


def read_filter(text: str, relation: Relation) -> Condition:
    """The rows of `relation` that pass a filter text of EXPLAIN."""
    tokens = [_Token(match.lastgroup, match.group()) for match in _TOKEN.finditer(text) if match.lastgroup is not None]
    reader = _Reader(tokens, relation)
    try:
        condition = reader.disjunction()
    except _UnreadableError:
        return UNKNOWN
    return condition if reader.at_end else UNKNOWN


class _Reader:
    """Recursive descent over the tokens of one filter text."""

    def __init__(self, tokens: list[_Token], relation: Relation) -> None:
        self._tokens = tokens
        self._relation = relation
        self._next = 0

    @property
    def at_end(self) -> bool:
        return self._next >= len(self._tokens)

    def disjunction(self) -> Condition:
        """`a OR b OR …`."""
        parts = [self._conjunction()]
        while self._takes_word("OR"):
            parts.append(self._conjunction())
        return parts[0] if len(parts) == 1 else any_of(parts)

    def _conjunction(self) -> Condition:
        parts = [self._negation()]
        while self._takes_word("AND"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else all_of(parts)

    def _negation(self) -> Condition:
        if self._takes_word("NOT"):
            start = self._next
            column = self._boolean_column()
            if column is not None:
                return Condition(((Predicate(column, Op.EQ, (False,)),),), exact=True)
            self._next = start
            self._negation()
            return UNKNOWN
        if self._peek(0) == "optional" and self._peek(1) == ":":
            self._next += 2
            return self._optional()
        return self._atom()

    def _optional(self) -> Condition:
        """A filter that repeats what an operator above demands as well: used where it is understood, never needed."""
        start = self._next
        try:
            inner = self._negation()
        except _UnreadableError:
            self._next = start
            self._skip_operand()
            return _NO_CONDITION
        return Condition(inner.where, exact=True) if inner.exact else _NO_CONDITION

    def _atom(self) -> Condition:
        if self._peek(0) != "(":
            return self._comparison()
        start = self._next
        self._next += 1
        try:
            condition = self.disjunction()
            self._expect(")")
        except _UnreadableError:
            self._next = start
            self._skip_group()
            return UNKNOWN
        return condition

    def _comparison(self) -> Condition:
        if (column := self._boolean_column()) is not None:
            return Condition(((Predicate(column, Op.EQ, (True,)),),), exact=True)
        left = self._operand()
        if isinstance(left, str) and self._takes_word("IN"):
            return membership(self._relation, left, self._constants())
        comparison = _COMPARISONS.get(self._peek(0))
        if comparison is None:
            raise _UnreadableError
        self._next += 1
        right = self._operand()
        if isinstance(left, str) and isinstance(right, _Constant):
            return _compared(self._relation, left, comparison, right)
        if isinstance(right, str) and isinstance(left, _Constant):
            return _compared(self._relation, right, _MIRRORED[comparison], left)
        return UNKNOWN

    def _boolean_column(self) -> str | None:
        """A bare boolean column at this point, as a condition of its own."""
        after = self._peek(1)
        if after not in ("", ")") and after.upper() not in ("AND", "OR"):
            return None
        if not self.at_end and self._tokens[self._next].kind == "word":
            column = self._relation.find(self._tokens[self._next].text)
            if column is not None and column.type.kind is Kind.BOOLEAN:
                self._next += 1
                return column.name
        return None

    def _operand(self) -> str | _Constant:
        """A column's name, or a constant."""
        if self.at_end:
            raise _UnreadableError
        token = self._tokens[self._next]
        self._next += 1
        if token.kind == "number":
            return _Constant(token.text, "number")
        if token.kind == "word":
            if token.text in ("true", "false"):
                return _Constant(token.text, "boolean")
            if self._relation.find(token.text) is None:
                raise _UnreadableError
            return token.text
        if token.kind != "text":
            raise _UnreadableError
        value = token.text[1:-1].replace("''", "'")
        if self._peek(0) != "::":
            return _Constant(value, "text")
        self._next += 1
        words = []
        for token in self._tokens[self._next :]:
            if token.kind != "word" or token.text in ("AND", "OR"):
                break
            words.append(token.text)
        self._next += len(words)
        return _Constant(value, " ".join(words))

    def _constants(self) -> list[_Constant]:
        self._expect("(")
        found = []
        while True:
            operand = self._operand()
            if not isinstance(operand, _Constant):
                raise _UnreadableError
            found.append(operand)
            if self._peek(0) != ",":
                break
            self._next += 1
        self._expect(")")
        return found

    def _skip_group(self) -> None:
        depth = 0
        while not self.at_end:
            text = self._tokens[self._next].text
            self._next += 1
            depth += (text == "(") - (text == ")")
            if depth == 0:
                return
        raise _UnreadableError

    def _skip_operand(self) -> None:
        """Skip to the AND, OR or closing parenthesis that ends the operand."""
        while not self.at_end and self._peek(0) not in (")", "AND", "OR"):
            if self._peek(0) == "(":
                self._skip_group()
            else:
                self._next += 1

    def _peek(self, ahead: int) -> str:
        index = self._next + ahead
        return self._tokens[index].text if index < len(self._tokens) else ""

    def _takes_word(self, word: str) -> bool:
        taken = self._peek(0) == word and self._tokens[self._next].kind == "word"
        self._next += taken
        return taken

    def _expect(self, sign: str) -> None:
        if self._peek(0) != sign:
            raise _UnreadableError
        self._next += 1


def membership(relation: Relation, name: str, constants: Iterable[_Constant]) -> Condition:
    """`name IN (…)`."""
    parts = [_compared(relation, name, Op.EQ, constant) for constant in constants]
    values: set[Value] = set()
    for part in parts:
        if not part.exact:
            return UNKNOWN
        values.update(part.where[0][0].values)
    column = relation.find(name)
    ordered = tuple(sorted(values, key=lambda value: (str(type(value)), value)))
    if column is None or len(ordered) == 0:
        return UNKNOWN
    op = Op.EQ if len(ordered) == 1 else Op.IN
    return Condition(((Predicate(column.name, op, ordered),),), exact=True)


def _compared(relation: Relation, name: str, op: Op, constant: _Constant) -> Condition:
    column = relation.find(name)
    if column is None or column.name.startswith("_"):
        return UNKNOWN
    value: Value
    match column.type.kind, constant.type:
        case Kind.TEXT, "text" if op is Op.EQ:
            value = constant.text
        case Kind.BOOLEAN, "boolean" if op is Op.EQ:
            value = constant.text == "true"
        case Kind.INTEGER, "number":
            value = int(constant.text)
        case Kind.TIMESTAMP, "TIMESTAMP":
            return _timestamp(column.name, op, constant.text)
        case _:
            return UNKNOWN
    return Condition(((Predicate(column.name, op, (value,)),),), exact=True)


def _timestamp(column: str, op: Op, text: str) -> Condition:
    """A comparison with a timestamp in whole seconds, rounded so that no row is lost."""
    try:
        timestamp = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:  # infinity, years beyond 9999, nanoseconds
        return UNKNOWN
    elapsed = timestamp - _EPOCH
    seconds, exact = elapsed.days * 86_400 + elapsed.seconds, elapsed.microseconds == 0
    if not exact:
        match op:
            case Op.LT | Op.LE:
                op, seconds = Op.LT, seconds + 1
            case Op.GT | Op.GE:
                op = Op.GE
            case _:
                return UNKNOWN
    return Condition(((Predicate(column, op, (seconds,)),),), exact)


def all_of(parts: Iterable[Condition]) -> Condition:
    """Rows that pass every part. A part that makes the product too large is dropped, so that more rows pass."""
    where, exact = EVERY_ROW, True
    for part in parts:
        exact = exact and part.exact
        product = tuple(_conjunction_of(left, right) for left in where for right in part.where)
        if len(product) > _MAX_DISJUNCTS:
            exact = False
            continue
        where = product
    return Condition(_simplified(where), exact)


def any_of(parts: Iterable[Condition]) -> Condition:
    """Rows that pass one of the parts."""
    listed = list(parts)
    where = tuple(conjunction for part in listed for conjunction in part.where)
    exact = all(part.exact for part in listed)
    if len(where) > _MAX_DISJUNCTS:
        return UNKNOWN
    return Condition(_simplified(where), exact)


def _conjunction_of(left: tuple[Predicate, ...], right: tuple[Predicate, ...]) -> tuple[Predicate, ...]:
    return tuple(sorted({*left, *right}, key=_order))


def _order(predicate: Predicate) -> tuple[str, str, str]:
    return predicate.column, predicate.op.value, repr(predicate.values)


def _simplified(where: Disjunction) -> Disjunction:
    """The same rows with fewer words: in a fixed order, without doubles, equal values as one list."""
    if () in where:
        return EVERY_ROW
    merged: dict[tuple[tuple[Predicate, ...], str], set[Value]] = {}
    rest: set[tuple[Predicate, ...]] = set()
    for conjunction in where:
        listed = [each for each in conjunction if each.op in (Op.EQ, Op.IN)]
        if len(listed) != 1:
            rest.add(conjunction)
            continue
        others = tuple(each for each in conjunction if each is not listed[0])
        merged.setdefault((others, listed[0].column), set()).update(listed[0].values)
    for (others, column), values in merged.items():
        ordered = tuple(sorted(values, key=lambda value: (str(type(value)), value)))
        op = Op.EQ if len(ordered) == 1 else Op.IN
        rest.add(_conjunction_of(others, (Predicate(column, op, ordered),)))
    return tuple(sorted(rest, key=lambda conjunction: [_order(each) for each in conjunction]))
