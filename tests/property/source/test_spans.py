"""Spans are exact for any document: a span covers its node, and offsets in texts resolve to their characters."""

from __future__ import annotations

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.diagnostics import Collector, Place
from engine.source import Document, MappingNode, Node, ScalarNode, SequenceNode, plain, read_yaml
from engine.source.locate import span_of
from engine.source.scalars import written_chars
from tests.support.effort import examples

LETTERS = "abXY 01:#-,'\"\\{}[]\t\n%@é日🎉|>&*!?"
texts = st.text(LETTERS, max_size=24)
scalars = st.one_of(texts, st.integers(-(10**9), 10**9), st.booleans(), st.none(), st.floats(allow_nan=False))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abcé_", min_size=1), inner, max_size=4),
    max_leaves=12,
)
styles = st.sampled_from([None, "'", '"', "|", ">"])


def scalar_nodes(node: Node) -> list[ScalarNode]:
    match node:
        case ScalarNode():
            return [node]
        case MappingNode():
            return [found for entry in node.entries.values() for found in scalar_nodes(entry.node)]
        case SequenceNode():
            return [found for item in node.items for found in scalar_nodes(item)]


def read(text: str) -> Document:
    collector = Collector()
    document = read_yaml("a.yaml", text, collector)
    assert not list(collector)
    return document


@settings(max_examples=examples(150), deadline=None)
@given(values, styles, st.sampled_from([None, False, True]), st.sampled_from([20, 1000]))
def test_text_at_the_span_of_a_scalar_reads_as_its_value(
    value: object, style: str | None, flow: bool | None, width: int
) -> None:
    text = yaml.safe_dump(value, default_style=style, default_flow_style=flow, allow_unicode=True, width=width)
    collector = Collector()
    document = read_yaml("a.yaml", text, collector)
    if document.root is None:  # The emitter writes tags such as `!!int "1"` for quoted numbers.
        assert {found.code for found in collector} == {"E110"}
        return
    for node in scalar_nodes(document.root):
        if node.style in ("literal", "folded"):
            continue
        written = text[slice(*node.span)]
        again = read(f"- {written}\n").root if written else None
        assert again is None or plain(again) == [node.value]


@settings(max_examples=examples(400), deadline=None)
@given(texts, styles, st.sampled_from([8, 20, 1000]), st.sampled_from(["\n", "\r\n"]))
def test_offset_of_every_character_resolves_to_its_place(text: str, style: str | None, width: int, ending: str) -> None:
    source = yaml.safe_dump({"sql": text}, default_style=style, allow_unicode=True, width=width)
    source = source.replace("\n", ending)
    root = read(source).root
    assert isinstance(root, MappingNode)
    entry = next(iter(root.entries.values()))
    node = entry.node
    assert isinstance(node, ScalarNode)
    assert node.text == text
    chars = written_chars(source, node)
    assert chars is not None
    assert "".join(char for char, _, _ in chars) == text
    ends = [end for _, _, end in chars]
    assert ends == sorted(ends)
    for char, start, end in chars:
        assert node.span[0] <= start <= end <= node.span[1]
        if end == start + 1 and char not in " \n":
            assert source[start] == char


@st.composite
def blocks(draw: st.DrawFn) -> tuple[str, str]:
    """A document with a literal block, and the block's content."""
    indent = " " * draw(st.integers(1, 6))
    lines = draw(st.lists(st.text("ab ,(é🎉", max_size=8).map(str.rstrip), min_size=1, max_size=6))
    lines[0] = "S" + lines[0]
    body = "".join(f"{indent}{line}\n" if line else "\n" for line in lines)
    return f"a: 1\nsql: |\n{body}end: x\n", "\n".join(lines) + "\n"


@settings(max_examples=examples(200), deadline=None)
@given(blocks(), st.data())
def test_offset_in_a_block_resolves_to_the_same_character(block: tuple[str, str], data: st.DataObject) -> None:
    source, content = block
    document = read(source)
    content = content.rstrip("\n") + "\n"
    offset = data.draw(st.integers(0, len(content) - 1))
    start, _ = span_of(document, Place("a.yaml").at("sql").within(offset, offset + 1))
    assert source[start] == content[offset]


@settings(max_examples=examples(300), deadline=None)
@given(st.text("ab:\n -[]{}'\"|>&*!?#,%@\t\r\x00\u2028\ufeff", max_size=40), st.booleans())
def test_read_yaml_never_raises(text: str, use_libyaml: bool) -> None:
    collector = Collector()
    document = read_yaml("a.yaml", text, collector, use_libyaml=use_libyaml)
    assert (document.root is None) <= collector.has_errors
    for found in collector:
        assert found.place is not None
        assert found.place.span is not None
        assert 0 <= found.place.span[0] <= found.place.span[1] <= len(text)
