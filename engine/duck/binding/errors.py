"""DuckDB errors converted to bind failures: the reason, the span in the SQL, and similar names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import duckdb

from engine.diagnostics import closest
from engine.graph import BindFailure

Reason = Literal["syntax", "table", "column", "function", "type", "statements", "not_select", "other"]

_WRITING: Final = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "TRUNCATE"})
_KEYWORDS: Final = frozenset(
    {"SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "JOIN"}
    | {"LEFT", "RIGHT", "FULL", "OUTER", "INNER", "CROSS", "DISTINCT", "BETWEEN", "LIKE", "ILIKE", "CASE", "WHEN"}
    | {"THEN", "ELSE", "WITH", "RECURSIVE", "WINDOW", "PARTITION", "QUALIFY", "EXISTS", "VALUES", "CAST", "INTERVAL"}
)

_JSON: Final = re.compile(r"\{.*\}", re.DOTALL)
_CANDIDATES: Final = re.compile(r'"([^"]+)"')
_WORD: Final = re.compile(r"\w+")
_PATH: Final = re.compile(r"\w+(?:\.\w+)*")
_REASONS: Final[tuple[tuple[re.Pattern[str], Reason], ...]] = (
    (re.compile(r"syntax error|zero-length|unterminated|Parser", re.IGNORECASE), "syntax"),
    (re.compile(r"^Referenced table|^Table with name|schema .* does not exist", re.IGNORECASE), "table"),
    (re.compile(r"Referenced column|not have a column|^Ambiguous reference|must appear in the GROUP BY"), "column"),
    (re.compile(r"[Ff]unction"), "function"),
    (re.compile(r"cast|compare|convert|types?\b", re.IGNORECASE), "type"),
)


def failure_of(
    error: duckdb.Error, sql: str, prefix: int, tables: Sequence[str], columns: Iterable[str]
) -> BindFailure:
    """Convert `error` to a failure of `sql`, which was sent to DuckDB after a prefix of `prefix` bytes.

    `tables` are the table names in scope, `columns` the columns of the tables that the box mentions; both supply
    candidates for a misspelled name.
    """
    details = _details(error)
    said = str(details.get("exception_message") or error)
    reason = _reason(details, said)
    name = _name(details, said)
    span = _span(details, sql, prefix, name)
    candidates: Sequence[str] = ()
    if reason == "table" and name is not None:
        candidates = closest(name.rpartition(".")[2], tables) or closest(name, tables)
    elif reason == "column" and name is not None:
        near = [each.rpartition(".")[2] for each in _listed(details, said)]
        # DuckDB always proposes something, however far off.
        candidates = closest(name, columns) or [each for each in near if name.casefold() in each.casefold()][:3]
    elif reason == "function" and details.get("error_subtype") == "MISSING_ENTRY":
        candidates = _listed(details, said)[:3]
    elif reason == "syntax" and span is not None and (word := _misspelt(sql, span)) is not None:
        name, candidates = word
    return BindFailure(reason, _message(reason, said, name), span, name, tuple(candidates))


def _misspelt(sql: str, span: tuple[int, int]) -> tuple[str, list[str]] | None:
    """A word at or before a syntax error that resembles a keyword, with the keywords that it resembles."""
    before = _WORD.findall(sql, 0, span[1])
    for word in reversed(before[-2:]):
        near = closest(word.upper(), _KEYWORDS, 1)
        if near and word.upper() not in _KEYWORDS:
            return word, near
    return None


def writing_word(sql: str) -> tuple[int, int] | None:
    """The span of the first keyword that starts a writing statement, such as INSERT."""
    return next((found.span() for found in _WORD.finditer(sql) if found.group().upper() in _WRITING), None)


def _details(error: duckdb.Error) -> dict[str, Any]:
    match = _JSON.search(str(error))
    if match is None:
        return {}
    try:
        found = json.loads(match.group())
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _reason(details: dict[str, Any], said: str) -> Reason:
    kind, subtype = details.get("type"), details.get("error_subtype")
    if details.get("exception_type") in ("Parser", "Syntax") or subtype == "SYNTAX_ERROR":
        return "syntax"
    if kind == "Table":
        return "table"
    if kind is not None and "Function" in str(kind):
        return "function"
    if subtype == "COLUMN_NOT_FOUND":
        return "column"
    if details.get("exception_type") in ("Conversion", "Out of Range"):
        return "type"
    return next((reason for pattern, reason in _REASONS if pattern.search(said)), "other")


def _name(details: dict[str, Any], said: str) -> str | None:
    if isinstance(details.get("name"), str):
        return str(details["name"])
    if match := re.search(r'(?:column named|Table with name|Referenced table) "?([^"\s]+)"?', said):
        return match[1]
    return None


def _listed(details: dict[str, Any], said: str) -> list[str]:
    if isinstance(listed := details.get("candidates"), str) and listed:
        return listed.split(",")
    _, _, tail = said.partition("Candidate")
    return _CANDIDATES.findall(tail)


def _span(details: dict[str, Any], sql: str, prefix: int, name: str | None) -> tuple[int, int] | None:
    """DuckDB counts bytes of UTF-8; a span counts code points."""
    location = details.get("location")
    start, length = None, 0
    if isinstance(location, str) and (match := re.fullmatch(r"\[(\d+),\s*(\d+)\]", location)):
        start, length = int(match[1]) - prefix, int(match[2])
    elif str(details.get("position", "")).isdigit():
        start = int(details["position"]) - prefix
    if start is None or start < 0:
        return _span_of_word(sql, name)
    raw = sql.encode()
    begin = len(raw[:start].decode(errors="ignore"))
    end = begin + len(raw[start : start + length].decode(errors="ignore"))
    if begin >= len(sql):
        end_of_text = len(sql.rstrip())
        return max(end_of_text - 1, 0), end_of_text
    if end == begin and (word := _PATH.match(sql, begin)):  # DuckDB 1 gives no length
        end = word.end()
    if name is not None and (found := sql.casefold().find(name.casefold(), begin)) != -1 and found <= end + 1:
        return found, found + len(name)
    return begin, max(end, begin + 1)


def _span_of_word(sql: str, name: str | None) -> tuple[int, int] | None:
    if name is None:
        return None
    match = re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sql, re.IGNORECASE)
    return match.span() if match else None


def _message(reason: Reason, said: str, name: str | None) -> str:
    """One line in our words for the frequent ones, DuckDB's own first line otherwise."""
    if reason == "table" and name is not None:
        return f"no table `{name}`"
    if reason == "column" and name is not None and "mbiguous" not in said and "GROUP BY" not in said:
        return f"no column `{name}`"
    if reason == "function" and name is not None and "does not exist" in said:
        return f"no function `{name}`"
    if "cannot contain" in said:
        return "aggregates and window functions cannot stand here"
    if "Values were not provided" in said:
        return "a `$` or `?` parameter: values are written `{{ name }}`"
    first = said.strip().splitlines()[0].rstrip("!. ")
    first = re.sub(r'"([^"]*)"', r"`\1`", first)
    first = re.sub(r"\. You might need to add explicit type casts", "", first)
    return first[:1].lower() + first[1:] if first[1:2].islower() else first or "the query does not bind"
