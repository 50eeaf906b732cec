"""Warnings about empty responses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from engine.connector import Coverage, Op, Predicate, Window
from engine.run.tasks.extract.answers import Answers

NOW = datetime(2026, 11, 1, tzinfo=UTC)
ALL = Coverage("", "customers", Window(None, 100), ((),), NOW, "list", "v", 1, 7, True)
NONE = replace(ALL, rows=0)


def emptied(before: list[Coverage], *slices: list[Coverage]) -> tuple[str, ...]:
    answers = Answers(before)
    for each in slices:
        answers.add(each)
    return answers.emptied({"customers"})


def test_table_that_became_empty_is_a_warning() -> None:
    assert emptied([ALL], [NONE]) == ("no rows in `customers`, where an earlier run read 7",)
    assert emptied([replace(ALL, account="acct_1")], [replace(NONE, account="acct_1")]) == (
        "no rows in `customers` of acct_1, where an earlier run read 7",
    )
    assert emptied([NONE], [NONE]) == ()
    assert emptied([], [NONE]) == ()


def test_table_with_rows_in_any_window_is_no_warning() -> None:
    windows = [replace(ALL, window=Window(50, 100)), replace(NONE, window=Window(lt=50))]
    assert emptied([ALL], windows) == ()
    assert emptied([ALL], [windows[1]], [windows[0]]) == ()
    assert emptied(windows, [NONE]) != ()


def test_empty_response_to_a_different_read_is_no_warning() -> None:
    paid = ((Predicate("status", Op.EQ, ("paid",)),),)
    assert emptied([ALL], [replace(NONE, where=paid)]) == ()
    assert emptied([ALL], [replace(NONE, window=Window(90, 100))]) == ()
    assert emptied([ALL], [replace(NONE, continues=NOW)]) == ()
