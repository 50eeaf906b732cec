"""Templates: values are literals, nothing escapes, and every character knows where it comes from."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graph.template import TemplateFailedError, render

SINCE = datetime(2025, 1, 1, tzinfo=UTC)


def test_a_template_without_expressions_is_left_alone() -> None:
    rendered = render("SELECT 1 -- 100%", {})
    assert rendered.sql == "SELECT 1 -- 100%"
    assert rendered.origin((7, 8)) == (7, 8)


def test_values_become_literals() -> None:
    sql = render(
        "{{ a }} {{ b }} {{ c }} {{ d }} {{ e }}", {"a": "O'Hara", "b": 3, "c": None, "d": SINCE, "e": ["x", 1]}
    )
    assert sql.sql == "'O''Hara' 3 NULL TIMESTAMP '2025-01-01 00:00:00' ('x', 1)"


def test_text_built_in_a_template_is_still_a_value() -> None:
    assert render("{% set x %}1; DROP TABLE t{% endset %}SELECT {{ x }}", {}).sql == "SELECT '1; DROP TABLE t'"


def test_identifiers_are_quoted_by_their_filter() -> None:
    assert render("SELECT {{ name | ident }}", {"name": 'a"b'}).sql == 'SELECT "a""b"'


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_any_text_survives_the_way_through_sql(text: str) -> None:
    sql = render("SELECT {{ value }}", {"value": text}).sql
    assert duckdb.sql(sql).fetchall() == [(text,)]


@pytest.mark.parametrize("word", ["emial", "ORDER", "bad", "'x'"])
def test_characters_after_an_expression_point_at_themselves(word: str) -> None:
    template = "SELECT emial FROM t WHERE c >= {{ since }}\n{% if yes %} AND bad = 'x'{% endif %}{# note #}\nORDER BY 1"
    rendered = render(template, {"since": SINCE, "yes": True})
    start = rendered.sql.index(word)
    first, last = rendered.origin((start, start + len(word)))
    assert template[first:last] == word


def test_characters_of_a_value_point_at_their_expression() -> None:
    template = "SELECT 1 WHERE c >= {{ since }} AND d = 1"
    rendered = render(template, {"since": SINCE})
    start = rendered.sql.index("2025")
    first, last = rendered.origin((start, start + 4))
    assert template[first:last] == "{{ since }}"


@given(
    st.lists(st.sampled_from(["word ", "{{ v }} ", "{% if v %}in {% endif %}", "é日 ", "\n  ", "{# c #}"]), max_size=12)
)
def test_every_piece_of_text_maps_to_the_same_text(parts: list[str]) -> None:
    template = "".join(parts)
    rendered = render(template, {"v": 7})
    for found in re.finditer(r"word|in|é日", rendered.sql):
        first, last = rendered.origin(found.span())
        assert template[first:last] == found[0]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ missing }}", "`missing` is undefined"),
        ("{{ 'a' * 1000000000 }}", "takes numbers"),
        ("{{ 9 ** 9999 }}", "too large"),
        ("{{ 'x'.ljust(1000000) }}", "above 10,000"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}", "iterations"),
        ("{% include '/etc/passwd' %}", "loader"),
        ("{{ {} }}", "cannot be written"),
        ("{{ 'a' ~ }}", "unexpected"),
        ("SELECT {% if %}", "expected"),
        ("{{ self }}", "cannot be written"),
        ("{{ cycler }}", "undefined"),
        ("{{ 'a' | tojson }}", "filter"),
        ("{% for i in range(9000) %}{{ 'x' * 1 }}{% endfor %}", "takes numbers"),
        ("{% set x = 'a' %}{% for i in range(3) %}{{ x.format(i) }}{% endfor %}{{ x.__init__.__globals__ }}", "unsafe"),
    ],
)
def test_what_a_template_may_not_do(template: str, message: str) -> None:
    with pytest.raises(TemplateFailedError, match=re.escape(message)):
        render(template, {})


def test_a_long_output_is_refused() -> None:
    template = "{% for i in range(9999) %}" + "x" * 200 + "{% endfor %}"
    with pytest.raises(TemplateFailedError, match="longer than"):
        render(template, {})


def test_an_unknown_name_is_found_in_the_template() -> None:
    with pytest.raises(TemplateFailedError) as raised:
        render("SELECT sinse, {{ sinse }}", {"since": 1})
    assert raised.value.name == "sinse"
    assert raised.value.span == (17, 22)
