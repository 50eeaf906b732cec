"""A mutated definition is still valid, or the finding shows where and why it is not."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.diagnostics import Collector
from engine.report import FINDING_FORMATS, apply_fixes, render_findings
from engine.source import SourceTree, is_case, read_yaml
from engine.spec import validate_suites, validate_tree
from tests.support.documents import CASES, CONNECTION, INTERFACE, SCHEMA
from tests.support.effort import examples

DOCUMENTS = {
    "connections/a.yaml": CONNECTION,
    "interfaces/a.test.yaml": CASES,
    "interfaces/a.yaml": INTERFACE,
    "schemas/a.yaml": SCHEMA,
}
KEY = "sk_live_0123456789abcdef"
FRAGMENTS = [
    "null", "[]", "{}", "true", "12", "-1", "''", "x: 1", "- a", "*a", "&a b", "!!str x", "<<", "|", ">", "é🎉", "  ",
    "\n", "\t", ":", "- ", f" {KEY}", "decimal(3", "2)", "0x1f", "1e999", "auto", "all", "~",
]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, str]:
    file = draw(st.sampled_from(sorted(DOCUMENTS)))
    text = DOCUMENTS[file]
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(text)))
        end = min(start + draw(st.integers(0, 12)), len(text))
        text = text[:start] + draw(st.sampled_from(FRAGMENTS)) + text[end:]
    return file, text


@st.composite
def with_values_replaced(draw: st.DrawFn) -> tuple[str, str]:
    """Definitions with the value of one `key: value` line replaced."""
    file = draw(st.sampled_from(sorted(DOCUMENTS)))
    lines = DOCUMENTS[file].splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        index = draw(st.integers(0, len(lines) - 1))
        key, colon, _ = lines[index].partition(": ")
        if colon:
            lines[index] = f"{key}: {draw(st.sampled_from(FRAGMENTS[:10]))}\n"
    return file, "".join(lines)


def check(file: str, text: str) -> tuple[SourceTree, Collector, bool]:
    collector = Collector()
    documents = {file: read_yaml(file, text, collector)}
    tree = SourceTree(Path(), cases=documents) if is_case(file) else SourceTree(Path(), documents)
    specs = validate_tree(tree, collector)
    suites = validate_suites(tree, collector)
    return tree, collector, bool(specs.connections or specs.interfaces or specs.schemas or suites)


@settings(max_examples=examples(250), deadline=None)
@given(st.one_of(mutated(), with_values_replaced()))
def test_mutated_definition_is_valid_or_has_a_finding(made: tuple[str, str]) -> None:
    file, text = made
    tree, collector, valid = check(file, text)
    assert valid or collector.has_errors
    for found in collector:
        assert found.place is not None
        start, end = tree.span(found.place)
        assert 0 <= start <= end <= len(text)
    for style in FINDING_FORMATS if KEY in text else ():  # A truncated key is no key any more.
        assert KEY.removeprefix("sk_live_") not in render_findings(style, collector, tree, version="0")  # type: ignore[arg-type]


@settings(max_examples=examples(150), deadline=None)
@given(st.one_of(mutated(), with_values_replaced()))
def test_fixes_do_not_break_a_definition(made: tuple[str, str]) -> None:
    file, text = made
    tree, collector, _ = check(file, text)
    changed = apply_fixes(collector, tree)
    if file not in changed:
        return
    _, after, _ = check(file, changed[file])
    assert "E104" not in {found.code for found in after} - {found.code for found in collector}
    assert "E108" not in {found.code for found in after} - {found.code for found in collector}
