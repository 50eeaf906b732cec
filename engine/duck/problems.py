"""Why rows are refused: numbered problems, from the condition that finds one to the text that explains it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """A reason to refuse a row: the subject (a column, or a phrase for the row) and the problem as text.

    `shown` is SQL of the value that the message quotes, if it quotes one.
    """

    subject: str
    text: str
    shown: str | None = None


def number_of_first(conditions: Iterable[str]) -> str:
    """SQL for the number, from 1, of the first condition that holds; 0 if none does."""
    cases = " ".join(f"WHEN {condition} THEN {number}" for number, condition in enumerate(conditions, 1))
    return f"(CASE {cases} ELSE 0 END)" if cases else "0"


def choose(number: str, values: Iterable[str]) -> str:
    """SQL for the text at `number`, SQL that counts from 1; NULL for 0."""
    cases = " ".join(f"WHEN {position} THEN {value}" for position, value in enumerate(values, 1))
    return f"(CASE {number} {cases} END)" if cases else "CAST(NULL AS VARCHAR)"
