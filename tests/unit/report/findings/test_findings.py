"""Every format of findings: places, escaping, limits, schemas, and no secrets."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from engine.diagnostics import Collector, Fix, Label, Place
from engine.report import (
    FINDING_FORMATS,
    apply_fixes,
    explain,
    locate_all,
    masked,
    render_findings,
    similar_codes,
    tally,
)
from engine.report.masking import masked_line
from engine.source import Document, SourceTree, read_yaml

SCHEMA = json.loads((Path(__file__).parent / "sarif-schema-2.1.0.json").read_text())


def tree_of(**files: str) -> SourceTree:
    documents: dict[str, Document] = {}
    for name, text in files.items():
        file = f"interfaces/{name}.yaml"
        documents[file] = read_yaml(file, text, Collector())
    return SourceTree(Path(), documents, texts={"interfaces/ü b.sql": "SELECT\n\t日本, nope\n"})


TREE = tree_of(a="name: x\nsteps:\n  - import: {into: t}\n", b="kind: y\n")
A = Place("interfaces/a.yaml")
SQL = Place("interfaces/ü b.sql", on="text")


def sample() -> Collector:
    found = Collector()
    found.report("E201", "unknown key `nope`, 100% wrong: <b>", SQL.within(12, 16), hint="line one\nline two | x")
    found.report("E204", "missing key `connection`", A.at("steps", 0, "import", "connection"))
    found.report(
        "E208",
        "bad name",
        A.at("name"),
        labels=[Label(Place("interfaces/b.yaml").at("kind"), "compare this")],
        fixes=[Fix("write `y`", A.at("name"), "y")],
    )
    found.report("W101", "no definitions")
    return found


def render(style: str, found: Collector | None = None, tree: SourceTree = TREE, *, colour: bool = False) -> str:
    return render_findings(style, sample() if found is None else found, tree, version="1.2.3", colour=colour)  # type: ignore[arg-type]


def test_text_aligns_marks_below_wide_characters_and_tabs() -> None:
    shown = render("text")
    lines = shown.splitlines()
    row = next(index for index, line in enumerate(lines) if "nope" in line and line.startswith("2 |"))
    assert lines[row] == "2 |     日本, nope"
    assert lines[row + 1] == "  |           ^^^^"
    assert "3 errors and 1 warning in 2 files" in lines[-1]
    assert "\x1b" not in shown


def test_coloured_text_differs_only_in_colour() -> None:
    coloured = render("text", colour=True)
    assert "\x1b[1;31m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render("text")


def test_findings_are_sorted_by_place_and_without_place_last() -> None:
    found = locate_all(sample(), TREE)
    assert [item.where for item in found] == [
        "interfaces/a.yaml:1:7",
        "interfaces/a.yaml:3:13",
        "interfaces/ü b.sql:2:6",
        "",
    ]
    assert tally(found) == "3 errors and 1 warning in 2 files"
    assert tally([]) == "no findings"


def test_text_truncates_a_place_of_many_lines() -> None:
    tree = tree_of(a="sql: |\n" + "".join(f"  line {n}\n" for n in range(10)))
    found = Collector()
    found.report("E202", "expected a list", A.at("sql"))
    shown = render("text", found, tree)
    assert "… 7 more lines" in shown
    assert "line 3" not in shown


def test_text_shows_a_long_line_around_the_place() -> None:
    tree = tree_of(a="sql: " + "a, " * 200 + "nope, " + "b, " * 200 + "c\n")
    found = Collector()
    found.report("E201", "x", A.at("sql").within(600, 604))
    shown = render("text", found, tree)
    code, marks = shown.splitlines()[3:5]
    assert len(code) < 180
    assert code[marks.index("^") : marks.rindex("^") + 1] == "nope"


def test_concise_format_has_one_line_for_each_finding() -> None:
    assert render("concise").splitlines()[1] == "interfaces/a.yaml:3:13: error[E204]: missing key `connection`"


def test_json_format_has_counts_places_and_labels() -> None:
    document = json.loads(render("json"))
    assert (document["format_version"], document["errors"], document["warnings"]) == (1, 3, 1)
    first = document["findings"][0]
    assert first["place"] == {"file": "interfaces/a.yaml", "line": 1, "column": 7, "end_line": 1, "end_column": 8}
    assert first["labels"][0]["text"] == "compare this"
    assert first["fixes"][0]["replacement"] == "y"
    assert document["findings"][-1]["place"] is None
    assert set(first) == {"code", "severity", "title", "message", "place", "labels", "hint", "fixes"}


def test_github_format_escapes_messages() -> None:
    lines = render("github").splitlines()
    assert lines[2] == (
        "::error title=E201 unknown key,file=interfaces/ü b.sql,line=2,col=6,endLine=2"
        "::unknown key `nope`, 100%25 wrong: <b>%0Aline one%0Aline two | x"
    )
    assert lines[3].startswith("::warning title=W101 no definitions::")


@pytest.mark.parametrize(("count", "shown", "left"), [(10, 10, None), (11, 10, 2), (25, 10, 16)])
def test_github_format_counts_skipped_findings(count: int, shown: int, left: int | None) -> None:
    found = Collector()
    for number in range(count):
        found.report("E201", f"finding {number}", A.at("name"))
    lines = render("github", found).splitlines()
    assert len(lines) == shown
    if left is not None:
        assert f"{left} more of this kind are not shown" in lines[-1]


def test_gitlab_format_has_stable_fingerprints() -> None:
    found = sample()
    rows = json.loads(render("gitlab", found))
    assert [row["severity"] for row in rows] == ["critical"] * 3 + ["minor"]
    assert rows[0]["location"] == {"path": "interfaces/a.yaml", "lines": {"begin": 1}}
    assert len({row["fingerprint"] for row in rows}) == 4
    moved = tree_of(a="# comment\nname: x\nsteps:\n  - import: {into: t}\n", b="kind: y\n")
    again = json.loads(render("gitlab", found, moved))
    assert [row["fingerprint"] for row in again] == [row["fingerprint"] for row in rows]


def test_sarif_format_is_valid_and_escapes_file_names() -> None:
    document = json.loads(render("sarif"))
    validator = jsonschema.Draft4Validator(SCHEMA)
    assert [error.message for error in validator.iter_errors(document)] == []
    (run,) = document["runs"]
    uris = [
        place["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
        for place in result.get("locations", [])
    ]
    assert uris[-1] == "interfaces/%C3%BC%20b.sql"
    rules = run["tool"]["driver"]["rules"]
    assert all(rules[result["ruleIndex"]]["id"] == result["ruleId"] for result in run["results"])
    assert run["results"][0]["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"] == {"text": "y"}


def test_sarif_schema_refuses_an_invalid_document() -> None:
    document = json.loads(render("sarif"))
    document["runs"][0]["results"][0]["level"] = "fatal"
    assert not jsonschema.Draft4Validator(SCHEMA).is_valid(document)


def test_junit_format_is_valid_xml_with_a_case_for_each_file() -> None:
    found = sample()
    found.report("E201", 'control \x01 and ]]> and "quotes"', A.at("name"))
    suite = ET.fromstring(render("junit", found)).find("testsuite")
    assert suite is not None
    assert suite.attrib["failures"] == "4"
    names = {case.attrib["name"]: len(case.findall("failure")) for case in suite.findall("testcase")}
    assert names == {"interfaces/a.yaml": 3, "interfaces/b.yaml": 0, "interfaces/ü b.sql": 1}


def test_markdown_format_escapes_and_stays_below_the_comment_limit() -> None:
    shown = render("markdown")
    assert "line one<br>line two \\| x" in shown
    assert "&lt;b>" in shown
    found = Collector()
    for number in range(2000):
        found.report("E201", f"finding {number} " + "x" * 60, A.at("name"))
    long = render("markdown", found)
    assert len(long) < 60_000
    assert re.search(r"… and \d+ more", long)


@pytest.mark.parametrize("style", FINDING_FORMATS)
def test_formats_without_findings(style: str) -> None:
    shown = render(style, Collector(), SourceTree(Path()))
    assert shown == "" if style in ("concise", "github") else shown


@pytest.mark.parametrize("style", FINDING_FORMATS)
@pytest.mark.parametrize(
    "secret",
    ["sk_live_51H8abcdefgh", "rk_test_0123456789abcdef", "whsec_abcdefghijklmnop1234", "hunter2-correct-horse"],
)
def test_no_format_shows_a_secret_of_the_source(style: str, secret: str) -> None:
    text = f"kind: connection\nclient_secret: {secret}\nsecrets: {{api_key: {secret}, ok: 1}}\n"
    tree = tree_of(a=text)
    found = Collector()
    found.report("E206", "a secret stands here in plain text", A.at("client_secret"))
    found.report("E201", "unknown key `api_key`", A.key("secrets", "api_key"))
    if secret.startswith(("sk", "rk", "wh")):
        place = A.at("client_secret")
        found.report("E208", f"bad `{secret}`", place, hint=f"not {secret}", fixes=[Fix(f"write {secret}", place, "x")])
    assert secret not in render(style, found, tree)


def test_masking_keeps_the_columns_of_a_line() -> None:
    assert masked("x sk_live_0123456789 y") == "x sk_live_********** y"
    assert masked("KEY_sk_live_0123456789") == "KEY_sk_live_**********"
    assert masked("task_live_0123456789") == "task_live_0123456789"
    assert masked("sk_test_weir_sandbox") == "sk_test_weir_sandbox"
    assert masked_line("  client_secret: hunter2  # note") == "  client_secret: *******  # note"
    assert masked_line("{api_key: abc, name: x}") == "{api_key: ***, name: x}"
    assert masked_line("client_secret: {env: STRIPE_SECRET_KEY}") == "client_secret: {env: STRIPE_SECRET_KEY}"
    assert masked_line("description: the token economy") == "description: the token economy"


def test_fixes_are_applied_once_for_each_place() -> None:
    tree = tree_of(a="nam: x\r\nsteps:\r\n  - {a: 日本, b: 2}\r\n", b="k: 1\n")
    found = Collector()
    found.report("E201", "1", A.key("nam"), fixes=[Fix("rename", A.key("nam"), "name")])
    found.report("E201", "2", A.key("nam"), fixes=[Fix("rename", A.key("nam"), "named")])
    found.report("E202", "3", A.at("steps", 0, "b"), fixes=[Fix("quote", A.at("steps", 0, "b"), '"2"')])
    found.report("E202", "4", A.at("steps", 0, "a"), fixes=[Fix("x", A, ""), Fix("y", A, "")])
    found.report("E201", "5", Place("gone.yaml"), fixes=[Fix("x", Place("gone.yaml"), "y")])
    assert apply_fixes(found, tree) == {"interfaces/a.yaml": 'name: x\r\nsteps:\r\n  - {a: 日本, b: "2"}\r\n'}


def test_explain_shows_the_page_of_a_code() -> None:
    page = explain("e201")
    assert page is not None
    assert page.startswith("# E201: unknown key\n")
    assert explain("E999") is None
    assert "E201" in similar_codes("E210") + similar_codes("E20")
