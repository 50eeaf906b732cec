"""YAML 1.2: values, spans and refusals, with and without libyaml."""

import math

import pytest

from engine.diagnostics import Collector
from engine.source import Document, MappingNode, ScalarNode, SequenceNode, plain, read_yaml

pytestmark = pytest.mark.parametrize("use_libyaml", [True, False], ids=["libyaml", "python"])


def read(text: str, use_libyaml: bool) -> tuple[Document, Collector]:
    collector = Collector()
    return read_yaml("a.yaml", text, collector, use_libyaml=use_libyaml), collector


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("no", "no"), ("on", "on"), ("Yes", "Yes"), ("y", "y"), ("off", "off"),
        ("true", True), ("True", True), ("FALSE", False), ("tRue", "tRue"),
        ("null", None), ("~", None), ("", None), ("Null", None), ("nULL", "nULL"),
        ("12", 12), ("-7", -7), ("+3", 3), ("010", 10), ("0o17", 15), ("0x1F", 31), ("0b11", "0b11"),
        ("1_000", "1_000"), ("12:30:00", "12:30:00"), ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), ("1.", 1.0),
        ("-.inf", -math.inf), (".inf", math.inf), ("2024-01-01", "2024-01-01"),
        ("2026-10-28.endive", "2026-10-28.endive"),
        ("=", "="), ("-", None), ("1.2.3", "1.2.3"), ("0x", "0x"), ("+", "+"), (".", "."), ("''", ""),
        ('"true"', "true"),
        ("'12'", "12"),
    ],
)  # fmt: skip
def test_scalars_follow_the_core_schema(written: str, value: object, use_libyaml: bool) -> None:
    document, found = read(f"- {written}\n" if written != "-" else "- ", use_libyaml)
    assert not list(found)
    assert document.root is not None
    result = plain(document.root)
    assert result == [value]
    assert type(result[0]) is type(value)  # type: ignore[index]


def test_nan_is_read_as_a_number(use_libyaml: bool) -> None:
    document, _ = read("a: .nan", use_libyaml)
    assert document.root is not None
    assert math.isnan(plain(document.root)["a"])  # type: ignore[index]


def test_spans_are_in_code_points(use_libyaml: bool) -> None:
    text = "é: 'ü🎉'\r\nlist:\r\n  - {a: 日本, b: \"x\\ty\"}\r\n  - [1, 2]\r\nend: &here text\r\nagain: *here\r\n"
    document, found = read(text, use_libyaml)
    assert not list(found)
    root = document.root
    assert isinstance(root, MappingNode)

    def written(span: tuple[int, int]) -> str:
        return text[slice(*span)]

    assert [written(entry.key_span) for entry in root.entries.values()] == ["é", "list", "end", "again"]
    assert written(root.entries["é"].node.span) == "'ü🎉'"
    listed = root.entries["list"].node
    assert isinstance(listed, SequenceNode)
    assert [written(item.span) for item in listed.items] == ['{a: 日本, b: "x\\ty"}', "[1, 2]"]
    mapping = listed.items[0]
    assert isinstance(mapping, MappingNode)
    assert written(mapping.entries["b"].node.span) == '"x\\ty"'
    assert written(root.entries["end"].node.span) == "text"
    assert plain(root) == {"é": "ü🎉", "list": [{"a": "日本", "b": "x\ty"}, [1, 2]], "end": "text", "again": "text"}


def test_span_of_a_block_collection_ends_with_its_last_value(use_libyaml: bool) -> None:
    text = "a:\n  b: 1\n\n# a comment\nc: 2\n"
    document, _ = read(text, use_libyaml)
    assert isinstance(document.root, MappingNode)
    start, end = document.root.entries["a"].node.span
    assert text[start:end].startswith("b: 1")
    assert "c: 2" not in text[start:end]


def test_scalar_nodes_have_their_style(use_libyaml: bool) -> None:
    document, _ = read("a: x\nb: 'x'\nc: \"x\"\nd: |\n  x\ne: >\n  x\n", use_libyaml)
    assert isinstance(document.root, MappingNode)
    nodes = [entry.node for entry in document.root.entries.values()]
    assert [node.style for node in nodes if isinstance(node, ScalarNode)] == [
        "plain", "single", "double", "literal", "folded",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code", "marked"),
    [
        ("a: 1\na: 2\n", "E108", "a"),
        ("a: 1\n---\nb: 2\n", "E109", "---"),
        ("a: !!str 1\n", "E110", "!!str 1"),
        ("a: !include x.yaml\n", "E110", "!include x.yaml"),
        ("a: !!python/object/apply:os.system [ls]\n", "E110", None),
        ("base: &b {x: 1}\na:\n  <<: *b\n", "E111", "<<"),
        ("1: x\n", "E112", "1"),
        ("true: x\n", "E112", "true"),
        ("~: x\n", "E112", "~"),
        ("? [a]\n: 1\n", "E112", "["),
        ("b: &k key\n? *k\n: 1\n", "E112", "*k"),
        ("a: *nowhere\n", "E107", "*nowhere"),
        ("a: &x [*x]\n", "E107", "*x"),
        ("a: " + "9" * 301 + "\n", "E114", "9" * 301),
        ("", "E115", ""),
        ("# nothing\n", "E115", ""),
        ("a: " + "[" * 41 + "]" * 41, "E106", "["),
        ("a: \x07\n", "E105", "\x07"),
        ("a: x\u2028y\n", "E105", "\u2028"),
        ("a: \ufeffx\n", "E105", "\ufeff"),
        ("\ta: 1\n", "E104", "\t"),
        ("a: [1, 2\nb: 3\n", "E104", None),
        ('a: "x\n', "E104", None),
        ("a: 1\n b: 2\n", "E104", None),
        ("a: @x\n", "E104", "@"),
        ("a: {b: 1]\n", "E104", "]"),
    ],
)
def test_refused_yaml_is_reported_with_its_place(text: str, code: str, marked: str | None, use_libyaml: bool) -> None:
    _, collector = read(text, use_libyaml)
    found = list(collector)
    assert [item.code for item in found] == [code]
    place = found[0].place
    assert place is not None
    assert place.span is not None
    if marked is not None:
        assert text[slice(*place.span)] == marked


def test_duplicate_key_keeps_the_first_value_and_is_reported(use_libyaml: bool) -> None:
    document, collector = read("a: 1\nb: 2\na: {c: [3]}\nd: 4\n", use_libyaml)
    assert document.root is not None
    assert plain(document.root) == {"a": 1, "b": 2, "d": 4}
    (found,) = collector
    assert found.labels[0].place.span == (0, 1)


def test_all_errors_of_one_file_are_reported(use_libyaml: bool) -> None:
    document, collector = read("a: !x 1\nb: 1\nb: 2\n1: 3\n<<: {}\n", use_libyaml)
    assert document.root is None
    assert sorted(item.code for item in collector) == ["E108", "E110", "E111", "E112"]


def test_exponential_aliases_are_refused(use_libyaml: bool) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    document, collector = read("\n".join(lines), use_libyaml)
    assert document.root is None
    assert [item.code for item in collector] == ["E117"]


def test_too_many_aliases_are_refused(use_libyaml: bool) -> None:
    document, collector = read("a: &a 1\nb: [" + ", ".join(["*a"] * 101) + "]\n", use_libyaml)
    assert document.root is None
    assert [item.code for item in collector] == ["E117"]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "a:\n"])
def test_deep_nesting_is_refused_quickly(opening: str, use_libyaml: bool) -> None:
    text = opening * 50_000 if opening != "a:\n" else "".join(" " * n + "a:\n" for n in range(300))
    document, collector = read(text, use_libyaml)
    assert document.root is None
    assert [item.code for item in collector] == ["E106"]


def test_quoted_merge_key_is_a_plain_key(use_libyaml: bool) -> None:
    document, collector = read("'<<': 1\n'1': 2\n", use_libyaml)
    assert document.root is not None
    assert plain(document.root) == {"<<": 1, "1": 2}
    assert not list(collector)
