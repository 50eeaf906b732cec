"""One policy for secrets: every part of Weir recognises the same secrets, in any context."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.app.logging import redact
from engine.connector.installed import installed_connectors, secret_policy
from engine.connectors.stripe.client import Scrubber
from engine.diagnostics import Collector
from engine.report.masking import masked, masked_line
from engine.source import Document, SourceTree, read_yaml
from engine.spec.secrets import report_secrets
from tests.support.effort import examples

ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
PREFIXES = {
    "sk_live_": ALPHANUMERIC,
    "sk_test_": ALPHANUMERIC,
    "rk_live_": ALPHANUMERIC,
    "rk_test_": ALPHANUMERIC,
    "sk_org_": ALPHANUMERIC,
    "sk_org_live_": ALPHANUMERIC,
    "rk_org_test_": ALPHANUMERIC,
    "ek_live_": ALPHANUMERIC,
    "whsec_": ALPHANUMERIC + "+/",
    "sess_": ALPHANUMERIC,
    "rkcs_": ALPHANUMERIC,
    "weir_0123456789ab_": "0123456789abcdef",
}
confidential = st.sampled_from(sorted(PREFIXES)).flatmap(
    lambda prefix: st.tuples(
        st.just(prefix),
        st.text(PREFIXES[prefix], min_size=23, max_size=80).map(lambda text: f"{text[:7]}4{text[7:]}"),
    )
)
lines = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), max_size=60)
looks_alike = st.lists(
    st.sampled_from([*PREFIXES, "sk_", "_", " ", "a", "7", "***", "x" * 16, "1" * 16, "weir_sandbox"]), max_size=8
).map("".join)


def scrubbed(text: str) -> str:
    """`text` as it appears in reported errors of the provider."""
    return Scrubber(lambda: "the key of the connection")(text)


def reported(tree: SourceTree) -> int:
    """The number of secrets that `weir validate` reports."""
    collector = Collector()
    report_secrets(tree, collector)
    assert {item.code for item in collector} <= {"E207"}
    return len(list(collector))


def in_yaml(text: str) -> SourceTree:
    """A definition with the text in a comment."""
    return SourceTree(Path(), documents={"a.yaml": read_yaml("a.yaml", f"kind: connection # {text}\n", Collector())})


def in_sql(text: str) -> SourceTree:
    """A SQL file with the text in a comment."""
    return SourceTree(Path(), texts={"a.sql": f"SELECT 1 -- {text}\n"})


@given(lines, confidential, lines)
@settings(max_examples=examples(300), deadline=None)
def test_every_use_recognises_every_kind_of_secret(before: str, secret: tuple[str, str], after: str) -> None:
    prefix, body = secret
    text = f"{before}{prefix}{body}{after}"
    for clean in (masked(text), masked_line(text), redact(text), scrubbed(text)):
        assert body not in clean
    assert len(masked(text)) == len(text)
    assert reported(in_yaml(text)) >= 1
    assert reported(in_sql(text)) >= 1


@given(confidential, st.integers(0, 90))
@settings(max_examples=examples(100), deadline=None)
def test_secret_with_an_escape_is_found(secret: tuple[str, str], place: int) -> None:
    whole = "".join(secret)
    place %= len(whole)
    escaped = f'"{whole[:place]}\\u{ord(whole[place]):04x}{whole[place + 1 :]}"'
    assert json.loads(escaped) == whole
    for text in (f"note: {escaped}\n", f"{escaped}: 1\n", f"list: [a, {escaped}]\n"):
        document = read_yaml("a.yaml", text, Collector())
        assert document.root is not None
        assert reported(SourceTree(Path(), documents={"a.yaml": document})) >= 1


@given(lines | looks_alike)
@settings(max_examples=examples(500), deadline=None)
def test_all_uses_agree_on_any_text(text: str) -> None:
    assume("***" not in text)
    found = secret_policy().holds(text)
    assert (masked(text) != text) == found
    assert (redact(text) != text) == found
    assert (scrubbed(text) != text) == found
    assert (reported(in_sql(text)) > 0) == found
    assert (reported(SourceTree(Path(), documents={"a.yaml": Document("a.yaml", text, None)})) > 0) == found


@given(lines | looks_alike)
@settings(max_examples=examples(300), deadline=None)
def test_cleaned_text_holds_no_secret_and_is_stable(text: str) -> None:
    for clean in (masked, redact, scrubbed):
        assert not secret_policy().holds(clean(text))
        assert clean(clean(text)) == clean(text)


def test_short_key_right_behind_another_secret_is_removed() -> None:
    text = "weir_0123456789ab_" + "a1" * 20 + "sk_live_short678"
    for clean in (masked, redact, scrubbed):
        assert "short678" not in clean(text)
        assert not secret_policy().holds(clean(text))


def test_every_connector_declares_secret_patterns() -> None:
    for connector in installed_connectors().values():
        assert connector.secret_patterns, connector.name
        assert all(each.kind and each.prefix for each in connector.secret_patterns)
