"""Symbolic places resolve to lines and columns."""

from pathlib import Path

import pytest

from engine.diagnostics import Collector, Place
from engine.source import Region, SourceTree, locate, read_yaml
from engine.source.locate import span_of


def marked(text: str, place: Place) -> str:
    document = read_yaml("a.yaml", text, Collector())
    return text[slice(*span_of(document, place))]


def region(text: str, place: Place) -> Region:
    return locate(read_yaml("a.yaml", text, Collector()), place)


A = Place("a.yaml")


def test_places_of_keys_values_and_items() -> None:
    text = "name: x\nsteps:\n  - import: {into: t}\n  - stop_if: y\n"
    assert marked(text, A.at("name")) == "x"
    assert marked(text, A.key("name")) == "name"
    assert marked(text, A.at("steps", 0, "import", "into")) == "t"
    assert marked(text, A.at("steps", 0, "import")) == "{into: t}"
    assert marked(text, A.at("steps", 0)) == "import"
    assert marked(text, A.at("steps")) == "-"
    assert marked(text, A) == "name"


def test_missing_place_resolves_to_the_nearest_parent() -> None:
    text = "name: x\nsteps:\n  - import: {into: t}\n"
    assert marked(text, A.at("steps", 0, "import", "connection")) == "{into: t}"
    assert marked(text, A.at("steps", 7, "import")) == "-"
    assert marked(text, A.at("name", "deeper")) == "x"
    assert marked(text, A.key("missing")) == "name"


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("sql: |\n  SELECT a,\n    nope\n  FROM t\n", "nope"),
        ("sql: |-\n  SELECT a,\n    nope\n  FROM t\n", "nope"),
        ("sql: |2\n    SELECT a,\n    nope\n  FROM t\n", "nope"),
        ("sql: | # comment\n\n  SELECT a,\n\n\n    nope\n  FROM t\n\n\n", "nope"),
        ("sql: |+\r\n  SELECT a,\r\n  nope\r\n\r\n", "nope"),
        ("sql: >\n  SELECT a,\n  nope\n  FROM t\n", "nope"),
        ("sql: >-\n  SELECT a,\n\n    more\n    nope\n  FROM t\n", "nope"),
        ("sql: >\r\n  SELECT a,\r\n\r\n\r\n  nope\r\n  FROM t\r\n", "nope"),
        ("sql: SELECT a, nope FROM t\n", "nope"),
        ("sql: SELECT a,\n  nope\n\n  FROM t\n", "nope"),
        ("sql: &x SELECT a, nope\n", "nope"),
        ("sql: 'it''s a, nope'\n", "nope"),
        ("sql: 'it''s a,\n   nope'\n", "nope"),
        ('sql: "a\\tb\\u00e9\\U0001F389\\x41 nope"\n', "nope"),
        ('sql: "a \\\n    b\\n\n\n  nope"\n', "nope"),
        ("sql: |\n  日本🎉 nope\n", "nope"),
        ("sql: |\n  SELECT\n  \tnope\n", "nope"),
        ("steps:\n  - a:\n      sql: |\n        SELECT\n          nope\n", "nope"),
    ],
)
def test_offset_in_a_decoded_text_resolves_to_its_characters(text: str, part: str) -> None:
    document = read_yaml("a.yaml", text, Collector())
    node = document.root
    route: tuple[str | int, ...] = ("sql",) if text.startswith("sql") else ("steps", 0, "a", "sql")
    for step in route:
        node = node.entries[step].node if isinstance(step, str) else node.items[step]  # type: ignore[union-attr]
    offset = node.text.index(part)  # type: ignore[union-attr]
    place = A.at(*route).within(offset, offset + len(part))
    assert text[slice(*span_of(document, place))] == part


def test_offset_beyond_a_text_resolves_to_its_end() -> None:
    text = "sql: |\n  SELECT\n  FROM\n"
    found = region(text, A.at("sql").within(11, 11))
    assert (found.start_line, found.start_column) == (3, 7)
    found = region(text, A.at("sql").within(999, 1000))
    assert (found.start_line, found.start_column) == (3, 7)


def test_region_counts_lines_and_columns_from_one() -> None:
    found = region("a: 1\r\nbb: two\r\n", A.at("bb"))
    assert found == Region("a.yaml", 2, 5, 2, 8, ("bb: two",))


def test_region_of_several_lines_has_all_of_them() -> None:
    found = region("sql: |\n  a\n  b\n", A.at("sql"))
    assert found.lines == ("sql: |", "  a", "  b")
    assert (found.end_line, found.end_column) == (3, 4)


def test_places_in_sql_files_and_unread_files() -> None:
    tree = SourceTree(root=Path(), texts={"a.sql": "SELECT\n  1\n"})
    assert tree.locate(Place("a.sql", on="text").within(9, 10)).start_line == 2
    assert tree.locate(Place("gone.yaml")) == Region("gone.yaml", 1, 1, 1, 1, ("",))
    assert tree.text_of("a.sql") == "SELECT\n  1\n"
    assert tree.text_of("gone.yaml") is None


def test_form_feed_and_line_separator_do_not_end_a_line() -> None:
    tree = SourceTree(root=Path(), texts={"a.sql": "a\x0cb\u2028c\nd"})
    assert tree.locate(Place("a.sql", on="text").within(6, 7)).start_line == 2
