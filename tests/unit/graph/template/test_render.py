"""Templates render values as literals, and every character of the SQL maps to its origin."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.graph.template.errors import TemplateFailedError
from engine.graph.template.render import render

SINCE = datetime(2025, 1, 1, tzinfo=UTC)


def test_template_without_expressions_is_unchanged() -> None:
    rendered = render("SELECT 1 -- 100%", {})
    assert rendered.sql == "SELECT 1 -- 100%"
    assert rendered.origin((7, 8)) == (7, 8)


def test_values_render_as_literals() -> None:
    sql = render(
        "{{ a }} {{ b }} {{ c }} {{ d }} {{ e }}", {"a": "O'Hara", "b": 3, "c": None, "d": SINCE, "e": ["x", 1]}
    )
    assert sql.sql == "'O''Hara' 3 NULL TIMESTAMP '2025-01-01 00:00:00' ('x', 1)"


def test_empty_list_matches_nothing() -> None:
    sql = render("SELECT 'a' IN {{ v }}, 'a' NOT IN {{ v }}, 1 IN {{ w }}", {"v": [], "w": [1]}).sql
    assert duckdb.sql(sql).fetchall() == [(False, True, True)]


def test_array_and_json_filters_render_their_types() -> None:
    sql = render("SELECT {{ v | array }}, {{ w | json }} ->> 'a'", {"v": ["x", "y'"], "w": '{"a": "b"}'}).sql
    assert duckdb.sql(sql).fetchall() == [(["x", "y'"], "b")]


def test_ident_filter_quotes_identifiers() -> None:
    assert render("SELECT {{ name | ident }}", {"name": 'a"b'}).sql == 'SELECT "a""b"'


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_any_text_renders_as_a_literal_of_itself(text: str) -> None:
    sql = render("SELECT {{ value }}", {"value": text}).sql
    assert duckdb.sql(sql).fetchall() == [(text,)]


@pytest.mark.parametrize("word", ["emial", "ORDER", "bad", "'x'"])
def test_origin_of_text_after_an_expression_is_the_text(word: str) -> None:
    template = "SELECT emial FROM t WHERE c >= {{ since }}\n{% if yes %} AND bad = 'x'{% endif %}{# note #}\nORDER BY 1"
    rendered = render(template, {"since": SINCE, "yes": True})
    start = rendered.sql.index(word)
    first, last = rendered.origin((start, start + len(word)))
    assert template[first:last] == word


def test_origin_of_a_value_is_its_expression() -> None:
    template = "SELECT 1 WHERE c >= {{ since }} AND d = 1"
    rendered = render(template, {"since": SINCE})
    start = rendered.sql.index("2025")
    first, last = rendered.origin((start, start + 4))
    assert template[first:last] == "{{ since }}"


@given(
    st.lists(st.sampled_from(["word ", "{{ v }} ", "{% if v %}in {% endif %}", "é日 ", "\n  ", "{# c #}"]), max_size=12)
)
def test_origin_of_any_text_is_the_same_text(parts: list[str]) -> None:
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
        ("{{ 'x'.ljust(1000000) }}", "only `range` can be called"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}", "iterations"),
        ("{% include '/etc/passwd' %}", "`include` is not available"),
        ("{{ {} }}", "cannot be written"),
        ("{{ 'a' ~ }}", "unexpected"),
        ("SELECT {% if %}", "expected"),
        ("{{ self }}", "cannot be written"),
        ("{{ cycler }}", "undefined"),
        ("{{ 'a' | tojson }}", "filter"),
        ("{% for i in range(9000) %}{{ 'x' * 1 }}{% endfor %}", "takes numbers"),
        ("{% set x = 'a' %}{{ x.__init__.__globals__ }}", "unsafe"),
        ("{% for i in range(3) %}{{ 'x'.format(i) }}{% endfor %}", "only `range` can be called"),
        ("{% set x %}1; DROP TABLE t{% endset %}SELECT {{ x }}", "`assignblock` is not available"),
        ("{% macro f() %}1{% endmacro %}SELECT 1", "`macro` is not available"),
        ("{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}", "recursive"),
        (
            "{% for a in l %}{% for b in l %}{% for c in l %}{% for d in l %}{% endfor %}{% endfor %}{% endfor %}"
            "{% endfor %}".replace("l ", "range(100) "),
            "iterations",
        ),
        ("{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a ~ a ~ a %}" * 12, "longer than"),
        ("{% set a = 'xxxxxxxxxx' %}" + "{% set a = a + a + a + a %}" * 12, "longer than"),
        ("{% set a = 'xxxxxxxxxx' %}" + "{% set a = a | replace('x', 'xxxxxxxxxx') %}" * 12, "longer than"),
        ("{% set a = 99999 %}" + "{% set a = a * a %}" * 40, "too large"),
        ("{{ range(99999999) | list }}", "iterations"),
    ],
)
def test_forbidden_template_syntax_is_refused(template: str, message: str) -> None:
    with pytest.raises(TemplateFailedError, match=re.escape(message)):
        render(template, {})


def test_long_template_output_is_refused() -> None:
    template = "{% for i in range(999) %}" + "x" * 2000 + "{% endfor %}"
    with pytest.raises(TemplateFailedError, match="longer than"):
        render(template, {})


def test_unknown_name_is_reported_with_its_place() -> None:
    with pytest.raises(TemplateFailedError) as raised:
        render("SELECT sinse, {{ sinse }}", {"since": 1})
    assert raised.value.name == "sinse"
    assert raised.value.span == (17, 22)


@pytest.mark.parametrize(
    ("template", "marked"),
    [
        ("SELECT '{{ v }}'", "{{ v }}"),
        ("SELECT 'it''s {{ v }} then'", "{{ v }}"),
        ('SELECT "{{ v }}"', "{{ v }}"),
        ("SELECT $${{ v }}$$", "{{ v }}"),
        ("SELECT E{{ v }}", "{{ v }}"),
        ("SELECT {{ v }}{{ v }}", "{{ v }}"),
        ("SELECT {{ v }}'x'", "{{ v }}"),
        ("SELECT 1 -- {{ lines }}\n", "{{ lines }}"),
        ("SELECT 1 /* {{ comment }} */", "{{ comment }}"),
        ("SELECT x{{ n }}", "{{ n }}"),
        ("SELECT {{ n }}00", "{{ n }}"),
    ],
)
def test_value_inside_another_token_is_refused(template: str, marked: str) -> None:
    values = {"v": " OR 1=1 --", "lines": "a\nUNION SELECT 2", "comment": "*/ UNION SELECT 2 /*", "n": 5}
    with pytest.raises(TemplateFailedError) as raised:
        render(template, values)
    assert raised.value.code == "E421"
    assert raised.value.span is not None
    assert template[slice(*raised.value.span)] == marked


def test_value_in_a_comment_is_allowed() -> None:
    assert render("SELECT 1 -- AND created >= {{ v }}\n/* {{ n }} */", {"v": "it's", "n": 5}).sql == (
        "SELECT 1 -- AND created >= 'it''s'\n/* 5 */"
    )


@given(
    st.text(st.sampled_from("ab'\"$-/*\\\n;{}%E "), max_size=12),
    st.lists(st.sampled_from(["'", '"', "--", "/*", "*/", "$$", " ", "\n", "E", "a", "{{ v }}"]), max_size=8),
)
def test_value_never_changes_the_query_around_it(text: str, parts: list[str]) -> None:
    """Where a template renders, any value is one token of its SQL or part of a comment."""
    template = "SELECT " + "".join(parts)
    try:
        harmless = render(template, {"v": "a"}).sql
        sql = render(template, {"v": text}).sql
    except TemplateFailedError:
        return
    kept = [token for token in duckdb.tokenize(harmless) if token[1] is not duckdb.token_type.comment]
    found = [token for token in duckdb.tokenize(sql) if token[1] is not duckdb.token_type.comment]
    assert [kind for _, kind in found] == [kind for _, kind in kept]


@pytest.mark.parametrize(
    ("template", "marked"),
    [
        ("SELECT {{ a }}\r\nFROM t\r\nWHERE {{ wrong }}", "wrong"),
        ("SELECT {{ a.b.c }}", "b"),
        ("{% if a %}\nSELECT {{ a | nope }}{% endif %}", "nope"),
        ("SELECT 1\n{# a\nb #}\n{%- if a %}\n{{ a + }}\n{% endif %}", "{{ a + }}"),
        ("SELECT 1 WHERE {{ a }} AND {{ a / 0 }}", "{{ a / 0 }}"),
    ],
)
def test_template_failure_has_the_place_of_its_expression(template: str, marked: str) -> None:
    with pytest.raises(TemplateFailedError) as raised:
        render(template, {"a": 1})
    assert raised.value.span is not None
    assert template[slice(*raised.value.span)] == marked


def test_origin_with_windows_line_ends_is_exact() -> None:
    template = "SELECT 1,\r\n{%- if v %}\r\n {{ v }},\r\n{%- endif %} bad\r\nFROM t"
    rendered = render(template, {"v": 1})
    start = rendered.sql.index("bad")
    assert template[slice(*rendered.origin((start, start + 3)))] == "bad"


@pytest.mark.parametrize("number", [150, 5_000])
@pytest.mark.parametrize(
    ("before", "left", "middle", "right", "after"),
    [("{{ ", "(1 + ", "1", ")", " }}"), ("", "{% if 1 %}", "", "{% endif %}", ""), ("{{ ", "(", "", "", " }}")],
)
def test_deeply_nested_template_is_refused(
    number: int, before: str, left: str, middle: str, right: str, after: str
) -> None:
    with pytest.raises(TemplateFailedError, match="nested too deep"):
        render(f"{before}{left * number}{middle}{right * number}{after}", {})
