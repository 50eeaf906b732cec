"""`weir test` as a process: without network, key or state."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.processes.command import ROOT, Done, shipped_project, weir, without_network

PASSING = """
kind: test
cases:
  - name: a refund counts
    given:
      stripe_main:
        charges:
          - {id: ch_1, amount: 1000, amount_refunded: 200, currency: eur, status: succeeded, created: 1767225600}
    expect:
      schema:
        payments: [{payment_id: ch_1, refunded_minor: 200}]
"""
FAILING = """
kind: test
cases:
  - name: a refund counts
    given:
      stripe_main:
        charges:
          - {id: ch_1, amount: 1000, amount_refunded: 200, currency: eur, status: succeeded, created: 1767225600}
          - {id: ch_2, amount: 1, amount_refunded: 0, currency: eur, status: succeeded, created: 1767225600}
          - {id: ch_3, amount: 1, amount_refunded: 0, status: succeeded, created: 1767225600}
    expect:
      schema:
        payments:
          - {payment_id: ch_1, refunded_minor: 100, created_at: 2026-01-01T00:00:00Z}
          - {payment_id: ch_9}
  - name: nothing happens
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    made = shipped_project(tmp_path / "project")
    for file in (made / "interfaces").glob("*.test.yaml"):
        file.unlink()
    return made


@pytest.fixture
def guard(tmp_path: Path) -> Mapping[str, str]:
    """An environment without a network, whose temporary folder is empty."""
    (tmp_path / "temporary").mkdir()
    return {**without_network(tmp_path), "TMPDIR": str(tmp_path / "temporary")}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def with_case(project: Path, text: str, name: str = "payments") -> Path:
    file = project / "interfaces" / f"{name}.test.yaml"
    file.write_text(text.lstrip())
    return file


def test_the_shipped_cases_pass_and_leave_nothing_behind(tmp_path: Path, guard: Mapping[str, str]) -> None:
    project = shipped_project(tmp_path / "shipped")
    before = contents(project)
    done = weir(project, "test", environment=guard).succeeded()
    assert "✓ payments::a refund counts" in done.out
    interfaces = {file.name.removesuffix(".yaml") for file in (project / "interfaces").glob("*.yaml")}
    shown = {line.split("::")[0].removeprefix("✓ ") for line in done.out.splitlines() if "::" in line}
    assert shown == {name for name in interfaces if not name.endswith(".test")}
    assert done.err == ""
    assert contents(project) == before
    assert list((tmp_path / "temporary").iterdir()) == []


def test_the_examples_of_the_documentation_pass(project: Path, guard: Mapping[str, str]) -> None:
    for file, kind in (("docs/testing.md", ""), ("README.md", "kind: test\n")):
        (example,) = re.findall(
            r"```yaml\n((?:#.*\n)*(?:kind: test\n)?cases:.*?)```", (ROOT / file).read_text(), re.DOTALL
        )
        with_case(project, kind + example)
        assert "✓ payments::a refund counts" in weir(project, "test", environment=guard).succeeded().out


def test_what_differs_is_said_row_by_row(project: Path, guard: Mapping[str, str]) -> None:
    with_case(project, FAILING)
    done = weir(project, "test", environment=guard)
    assert done.code == 7
    head, *differences = done.out.splitlines()
    assert head.startswith("✗ payments::a refund counts  ")
    assert [line.strip() for line in differences[:5]] == [
        "interfaces/payments.test.yaml:3",
        "rejects.load: rows: expected 0, got 1; the first: (payment_id ch_3) `currency`: is required and has no value",
        'schema.payments: {payment_id: "ch_1"}: refunded_minor: expected 100, got 200',
        'schema.payments: missing {payment_id: "ch_9"}',
        'schema.payments: unexpected {payment_id: "ch_2", refunded_minor: 0, created_at: 2026-01-01T00:00:00Z}',
    ]
    assert differences[5].startswith("✓ payments::nothing happens  ")
    assert differences[6].startswith("2 test cases: 1 failed, 1 passed in ")


def test_the_first_failure_may_end_it(project: Path, guard: Mapping[str, str]) -> None:
    with_case(project, FAILING)
    done = weir(project, "test", "-x", environment=guard)
    assert done.code == 7
    assert "nothing happens" not in done.out
    assert "2 test cases: 1 failed, 1 not run in" in done.out


def test_names_choose_cases(project: Path, guard: Mapping[str, str]) -> None:
    with_case(project, FAILING)
    assert "1 test case: 1 passed" in weir(project, "test", "pay*::nothing*", environment=guard).succeeded().out
    unknown = weir(project, "test", "paymnts", environment=guard)
    assert (unknown.code, unknown.out, "did you mean `payments`" in unknown.err) == (64, "", True)
    nothing = weir(project, "test", "payments::nothing", environment=guard)
    assert (nothing.code, "payments::nothing happens" in nothing.err) == (64, True)
    assert "no cases yet" in weir(project, "test", "customer_tiers", environment=guard).succeeded().out


def test_programs_are_told_as_well(project: Path, guard: Mapping[str, str]) -> None:
    with_case(project, FAILING)
    told = json.loads(weir(project, "test", "--format", "json", environment=guard).out)
    assert (told["passed"], told["failed"], told["not_run"]) == (1, 1, 0)
    first = told["cases"][0]
    assert (first["interface"], first["where"], first["passed"]) == (
        "payments",
        "interfaces/payments.test.yaml:3",
        False,
    )
    assert {each["kind"] for each in first["differences"]} == {"value", "missing", "surplus"}
    suites = ElementTree.fromstring(weir(project, "test", "--format", "junit", environment=guard).out.encode())
    (suite,) = suites
    assert (suite.get("tests"), suite.get("failures")) == ("2", "1")
    assert [case.get("name") for case in suite] == ["a refund counts", "nothing happens"]
    assert "refunded_minor: expected 100, got 200" in str(suite[0][0].text)


def test_the_first_case_is_shown_with_the_names_of_the_project(project: Path, guard: Mapping[str, str]) -> None:
    done = weir(project, "test", environment=guard).succeeded()
    assert "interfaces/customers_lifetime_value.test.yaml" in done.out
    assert json.loads(weir(project, "test", "--format", "json", environment=guard).succeeded().out)["cases"] == []
    assert "<testsuites>" in weir(project, "test", "--format", "junit", environment=guard).succeeded().out


@pytest.mark.parametrize("mistake", ["chrges:", "charges: [", "amuont:"])
def test_a_wrong_case_stops_tests_and_nothing_else(project: Path, guard: Mapping[str, str], mistake: str) -> None:
    with_case(project, PASSING.replace("charges:" if "ch" in mistake else "amount:", mistake, 1))
    validated = weir(project, "validate", environment=guard)
    assert (validated.code, "interfaces/payments.test.yaml:" in validated.out) == (2, True)
    tested = weir(project, "test", environment=guard)
    assert (tested.code, tested.out, "interfaces/payments.test.yaml:" in tested.err) == (2, "", True)
    assert "upsert payments" in weir(project, "plan", "payments", environment=guard).succeeded().out
    weir(project, "run", "payments").succeeded()


def test_mistakes_in_cases_are_mended_by_fixes(project: Path, guard: Mapping[str, str]) -> None:
    file = with_case(project, PASSING.replace("charges:", "chrges:").replace("amount:", "amuont:"))
    assert weir(project, "validate", "--fix", environment=guard).code in (0, 2)
    assert weir(project, "validate", "--fix", environment=guard).succeeded().out.endswith("; 1 test case\n")
    assert file.read_text() == PASSING.lstrip()


def test_wrong_definitions_are_no_failed_cases(project: Path, guard: Mapping[str, str]) -> None:
    with_case(project, PASSING)
    file = project / "interfaces" / "payments.yaml"
    file.write_text(file.read_text().replace("failure_code AS failure", "failure_cod AS failure"))
    done = weir(project, "test", environment=guard)
    assert (done.code, "E403" in done.err) == (2, True)


def test_a_failure_can_be_what_is_expected(project: Path, guard: Mapping[str, str]) -> None:
    box = "SELECT customer_id, CAST(name AS INTEGER) AS n FROM customers"
    (project / "interfaces" / "failing.yaml").write_text(
        f'kind: interface\nname: failing\nsteps:\n  - respond: {{sql: "{box}"}}\n'
    )
    given = "given: {schema: {customers: [{customer_id: a, name: many, created_at: 1767225600}]}}"
    cases = [f"  - name: {name}\n    {given}\n" for name in ("unexpected", "expected", "otherwise")]
    cases[1] += "    expect: {fails: could not convert}\n"
    cases[2] += "    expect: {fails: Out of memory}\n"
    with_case(project, "kind: test\ncases:\n" + "".join(cases), "failing")
    done = weir(project, "test", environment=guard)
    assert done.code == 7
    shown = [line.strip() for line in done.out.splitlines()]
    assert "✓ failing::expected" in done.out
    assert any(line.startswith("run: `failing.respond_1` failed[E620]: ") for line in shown)
    assert any(
        line.startswith('run: expected a failure with "Out of memory", but `failing.respond_1`') for line in shown
    )


def test_boxes_may_be_isolated(project: Path, guard: Mapping[str, str]) -> None:
    with_case(project, PASSING)
    assert "1 test case: 1 passed" in weir(project, "test", "--isolated", environment=guard).succeeded().out


def test_a_new_project_has_cases_that_pass(tmp_path: Path, guard: Mapping[str, str]) -> None:
    weir(tmp_path, "init", "fresh", environment=guard).succeeded()
    assert "2 test cases: 2 passed" in weir(tmp_path / "fresh", "test", environment=guard).succeeded().out
    assert "run: weir test\n" in (tmp_path / "fresh/.github/workflows/weir.yaml").read_text()
    make = shutil.which("make")
    if make is not None:
        command = [make, "--no-print-directory", "-n", "cases"]
        shown = subprocess.run(command, cwd=tmp_path / "fresh", capture_output=True, text=True)
        assert Done(shown.returncode, shown.stdout, shown.stderr).succeeded().out == "weir test\n"
