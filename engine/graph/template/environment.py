"""The sandbox in which templates of SQL boxes run: nothing can be reached, nothing can grow without bound."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.relation import DATE, JSON, TIMESTAMP
from engine.relation.parameter_values import parameter_value

from ..literals import SqlText, sql_array, sql_identifier, sql_literal

MOST_ITERATIONS: Final = 10_000
_LONGEST: Final = 100_000
_LARGEST: Final = 10**30
_KEPT_FILTERS: Final = (
    "abs", "default", "d", "first", "float", "int", "last", "length", "list", "lower", "max", "min", "replace",
    "reverse", "round", "sort", "string", "sum", "trim", "unique", "upper",
)  # fmt: skip
_STATEMENTS: Final = (nodes.Output, nodes.For, nodes.If, nodes.Assign, nodes.With)
_CONCAT: Final = "_concat"


class TemplateEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 without methods, macros and inclusion, with bounds on numbers and texts."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Numbers of a sane size; `+` joins texts and lists as well."""
        if operator == "+" and isinstance(left, str | list) and isinstance(right, str | list):
            _demand_length(len(left) + len(right))
            return super().call_binop(context, operator, left, right)
        if isinstance(left, str | list | tuple) or isinstance(right, str | list | tuple):
            raise SecurityError(f"`{operator}` takes numbers")
        if operator == "**" and (abs(left) > 1_000_000 or abs(right) > 64):
            raise SecurityError("this power is too large")
        result = super().call_binop(context, operator, left, right)
        if isinstance(result, int) and abs(result) > _LARGEST:
            raise SecurityError("this number is too large")
        return result

    def call(self, context: Any, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Nothing can be called but `range`: methods of texts are how a short template makes a long one."""
        if obj is not limited_range:
            raise SecurityError("only `range` can be called; everything else is a filter")
        return super().call(context, obj, *args, **kwargs)

    def checked(self, source: str) -> nodes.Template:
        """The syntax tree of a template that uses only what is allowed. Raises `TemplateSyntaxError`."""
        tree = self.parse(source)
        for statement in tree.find_all(nodes.Stmt):
            if not isinstance(statement, _STATEMENTS):
                word = type(statement).__name__.lower()
                raise TemplateSyntaxError(f"`{word}` is not available in a SQL box", statement.lineno)
            if isinstance(statement, nodes.For) and statement.recursive:
                raise TemplateSyntaxError("a loop cannot be recursive in a SQL box", statement.lineno)
        for used in tree.find_all(nodes.Filter):
            if used.name not in self.filters:
                raise TemplateSyntaxError(f"no filter '{used.name}'", used.lineno)
        _Concatenations(self).visit(tree)
        return tree


class _Concatenations:
    """Replaces `a ~ b` by a filter that bounds the length of the result."""

    def __init__(self, environment: TemplateEnvironment) -> None:
        self._environment = environment

    def visit(self, node: nodes.Node) -> nodes.Node:
        """The node with every concatenation below it replaced."""
        for name, value in node.iter_fields():
            if isinstance(value, nodes.Node):
                setattr(node, name, self.visit(value))
            elif isinstance(value, list):
                value[:] = [self.visit(each) if isinstance(each, nodes.Node) else each for each in value]
        if not isinstance(node, nodes.Concat):
            return node
        first, *rest = node.nodes
        made = nodes.Filter(first, _CONCAT, rest, [], None, None, lineno=node.lineno)
        made.environment = self._environment
        return made


@cache
def template_environment() -> TemplateEnvironment:
    """The environment. It holds no values: these come with each rendering."""
    environment = TemplateEnvironment(
        undefined=StrictUndefined, finalize=_finalize, autoescape=False, keep_trailing_newline=True
    )
    kept: dict[str, Callable[..., Any]] = {name: environment.filters[name] for name in _KEPT_FILTERS}
    kept["replace"] = _replace
    kept["ident"] = sql_identifier
    kept["array"] = sql_array
    kept["json"] = _json
    kept["timestamp"] = lambda text: parameter_value(text, TIMESTAMP)
    kept["date"] = lambda text: parameter_value(text, DATE)
    kept[_CONCAT] = _concat
    environment.filters = kept
    environment.globals = {"range": limited_range}
    return environment


def limited_range(*arguments: int) -> range:
    """`range` of at most 10,000 numbers."""
    numbers = range(*arguments)
    if len(numbers) > MOST_ITERATIONS:
        raise OverflowError(f"more than {MOST_ITERATIONS:,} iterations")
    return numbers


def _finalize(value: object) -> str:
    if isinstance(value, StrictUndefined):
        str(value)  # raises UndefinedError with the name
    return sql_literal(value)


def _concat(*parts: object) -> str:
    texts = []
    for part in parts:
        if isinstance(part, SqlText):
            raise SecurityError("an identifier cannot be part of a text")
        texts.append(str(part))
    _demand_length(sum(len(text) for text in texts))
    return "".join(texts)


def _replace(text: object, old: str, new: str) -> str:
    written = str(text)
    _demand_length(len(written) + (written.count(old) if old else len(written) + 1) * len(new))
    return written.replace(old, new)


def _json(value: object) -> SqlText:
    return SqlText(f"{sql_literal(parameter_value(value, JSON))}::JSON")


def _demand_length(length: int) -> None:
    if length > _LONGEST:
        raise SecurityError(f"a value longer than {_LONGEST:,}")
