"""Checking and planning need no key and no network; what is wrong is shown at its character."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.processes.command import shipped_project, started_weir, weir, without_network


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shipped_project(tmp_path / "project")


def replaced(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))


def test_the_network_guard_guards(tmp_path: Path, project: Path) -> None:
    done = weir(project, "run", environment=without_network(tmp_path))
    assert done.code != 0


def test_validate_and_plan_are_offline_and_need_no_key(tmp_path: Path, project: Path) -> None:
    guard = without_network(tmp_path)
    checked = weir(project, "validate", environment=guard).succeeded()
    assert checked.out.startswith("ok: 2 connections, 7 interfaces and 6 tables")
    planned = weir(project, "plan", environment=guard).succeeded()
    assert "GET /v1/subscriptions?status=all&limit=100" in planned.out
    assert "upsert customers" in planned.out
    assert not (project / ".weir").exists()


def test_the_plan_has_the_same_hash_wherever_the_files_are(tmp_path: Path, project: Path) -> None:
    other = shipped_project(tmp_path / "other")
    replaced(other / "connections" / "stripe_main.yaml", "connector: stripe\n", "# a comment\nconnector: stripe\n")
    (other / "interfaces" / "deep").mkdir()
    (other / "interfaces" / "invoice_lines.yaml").rename(other / "interfaces" / "deep" / "lines.yaml")
    plans = [
        json.loads(started_weir(folder, "plan", "--format", "json").succeeded().out) for folder in (project, other)
    ]
    assert plans[0]["hash"] == plans[1]["hash"]
    replaced(other / "interfaces" / "deep" / "lines.yaml", "action: upsert", "action: insert")
    changed = json.loads(started_weir(other, "plan", "--format", "json").succeeded().out)
    assert changed["hash"] != plans[0]["hash"]


def test_a_mistake_is_shown_at_its_character(project: Path) -> None:
    replaced(project / "interfaces" / "invoice_lines.yaml", "connection: stripe_main", "connection: stripe_mian")
    done = weir(project, "validate")
    assert done.code == 2
    lines = done.out.splitlines()
    arrow = next(line for line in lines if "-->" in line)
    assert arrow.strip() == "--> interfaces/invoice_lines.yaml:14:19"
    assert any(line.strip() == "14 |       connection: stripe_mian".strip() for line in lines)
    assert any(line.endswith("^^^^^^^^^^^") for line in lines)
    assert "did you mean `stripe_main`?" in done.out


def test_a_mistake_inside_a_box_is_shown_at_its_own_line(project: Path) -> None:
    replaced(project / "interfaces" / "invoice_lines.yaml", "invoices.number AS", "invoices.numbr AS")
    done = weir(project, "validate", "--format", "json")
    assert done.code == 2
    text = (project / "interfaces" / "invoice_lines.yaml").read_text()
    line = next(number for number, row in enumerate(text.splitlines(), 1) if "numbr" in row)
    (finding,) = json.loads(done.out)["findings"]
    assert finding["code"] == "E403"
    assert str(line) in json.dumps(finding)


def test_nothing_is_planned_from_wrong_definitions(project: Path) -> None:
    replaced(project / "schemas" / "customers.yaml", "kind: schema", "kind: shema")
    for verb in ("plan", "run"):
        done = weir(project, verb)
        assert done.code == 2
        assert done.out == ""
        assert "schemas/customers.yaml:2:7" in done.err


def test_fixes_are_applied(project: Path) -> None:
    file = project / "interfaces" / "invoice_lines.yaml"
    before = file.read_text()
    replaced(file, "invoices.number AS", "invoices.numbr AS")
    done = weir(project, "validate", "--fix")
    assert done.code == 0
    assert "fixed interfaces/invoice_lines.yaml" in done.err
    assert file.read_text() == before


@pytest.mark.parametrize("style", ["text", "concise", "json", "github", "gitlab", "sarif", "junit", "markdown"])
def test_every_format_says_what_is_wrong(project: Path, style: str) -> None:
    replaced(project / "interfaces" / "invoice_lines.yaml", "connection: stripe_main", "connection: stripe_mian")
    done = weir(project, "validate", "--format", style)
    assert done.code == 2
    assert "stripe_mian" in done.out
    assert "E301" in done.out


def test_a_new_project_is_sound(tmp_path: Path) -> None:
    guard = without_network(tmp_path)
    weir(tmp_path, "init", "fresh", environment=guard).succeeded()
    fresh = tmp_path / "fresh"
    checked = weir(fresh, "validate", "--strict", environment=guard).succeeded()
    assert checked.out.startswith("ok: 1 connection, 1 interface and 1 table")
    weir(fresh, "schema", "--check", environment=guard).succeeded()
    planned = weir(fresh, "plan", environment=guard).succeeded()
    assert "created[gte]=1577836800" in planned.out
    again = weir(tmp_path, "init", "fresh", environment=guard)
    assert again.code == 64
    assert "is there already" in again.err


def test_new_definitions_fit_together(tmp_path: Path) -> None:
    guard = without_network(tmp_path)
    weir(tmp_path, "init", "fresh", environment=guard).succeeded()
    fresh = tmp_path / "fresh"
    sql = "SELECT id, amount, currency, created FROM charges"
    connection = ("new", "connection", "stripe_eu", "--connector", "stripe", "--secret-env", "STRIPE_EU_KEY")
    weir(fresh, *connection, environment=guard).succeeded()
    schema = ("new", "schema", "charges", "--from-query", "stripe_eu", sql, "--key", "id")
    weir(fresh, *schema, environment=guard).succeeded()
    interface = ("new", "interface", "charges", "--connection", "stripe_eu", "--sql", sql)
    assert "`weir test charges`" in weir(fresh, *interface, environment=guard).succeeded().err
    assert "interfaces/charges.test.yaml" in weir(fresh, "test", "charges", environment=guard).succeeded().out
    assert "2 connections, 2 interfaces and 2 tables" in weir(fresh, "validate", "--strict").succeeded().out
    assert "amount: integer" in (fresh / "schemas" / "charges.yaml").read_text()
    assert weir(fresh, *interface).code == 64


def test_a_table_from_a_query_is_sound_or_not_written(tmp_path: Path) -> None:
    weir(tmp_path, "init", ".").succeeded()
    new = ("new", "schema", "charges", "--from-query", "stripe_main")
    for sql, said in (
        ("SELECT nope FROM charges", "no column `nope`"),
        ('SELECT 1, id AS "My Id" FROM charges', "`1`"),
    ):
        done = weir(tmp_path, *new, sql)
        assert done.code in (2, 64)
        assert said in done.err
        assert not (tmp_path / "schemas" / "charges.yaml").exists()
    weir(tmp_path, *new, "SELECT id, metadata, [1.5] AS parts FROM charges", "--key", "id").succeeded()
    assert "metadata: json" in (tmp_path / "schemas" / "charges.yaml").read_text()
    weir(tmp_path, "validate").succeeded()


def test_only_what_was_meant_is_fixed(tmp_path: Path) -> None:
    weir(tmp_path, "init", ".").succeeded()
    interface = tmp_path / "interfaces" / "customers.yaml"
    sound = interface.read_text()
    interface.write_text(sound.replace("SELECT id, name, email", "SELECT id, name, zzzqqq"))
    wrong = interface.read_text()
    assert weir(tmp_path, "validate", "--fix").code == 2
    assert interface.read_text() == wrong
    interface.write_text(sound.replace("SELECT id, name, email", "SELECT id, name, emial"))
    weir(tmp_path, "validate", "--fix").succeeded()
    assert interface.read_text() == sound


def test_warnings_take_a_line_beside_other_work(tmp_path: Path) -> None:
    weir(tmp_path, "init", ".").succeeded()
    weir(tmp_path, "new", "schema", "idle", "--column", "id").succeeded()
    assert weir(tmp_path, "validate").succeeded().out.startswith("warning[W303]")
    planned = weir(tmp_path, "plan").succeeded()
    (line,) = planned.err.splitlines()
    assert line.startswith("schemas/idle.yaml:3:7: ")
    assert "W303" in line


def test_a_broken_connection_is_not_called_unknown(tmp_path: Path, project: Path) -> None:
    replaced(project / "connections" / "stripe_main.yaml", "is_source: true", "is_source: yes")
    done = weir(project, "query", "stripe_main", environment=without_network(tmp_path))
    assert done.code == 2
    assert "connections/stripe_main.yaml" in done.err
    assert "no connection" not in done.err
    assert weir(project, "query", "stripe_maim").code == 64


def test_a_key_is_never_taken_for_the_name_of_a_variable(tmp_path: Path) -> None:
    weir(tmp_path, "init", ".").succeeded()
    key = "sk_test_" + "a" * 24
    done = weir(tmp_path, "new", "connection", "other", "--connector", "stripe", "--secret-env", key)
    assert done.code == 64
    assert key not in done.out + done.err
    assert not (tmp_path / "connections" / "other.yaml").exists()


def test_usage_errors_have_their_own_exit_code(project: Path) -> None:
    for arguments in (
        ("vaildate",),
        ("completion",),
        ("validate", "--formt", "json"),
        ("explain", "E999"),
        ("plan", "nothing_such"),
    ):
        done = weir(project, *arguments)
        assert done.code == 64, arguments
        assert done.out == ""
        assert "error" in done.err
    assert "did you mean `validate`" in weir(project, "vaildate").err
    assert "'{bash|zsh|fish}'. Choose from: bash, zsh, fish\n" in weir(project, "completion").err
    assert weir(project, "new").err.startswith("Usage: weir new")
    assert weir(project, "--version").succeeded().out.startswith("weir ")


def test_a_folder_without_a_project_says_what_to_do(tmp_path: Path) -> None:
    done = weir(tmp_path, "validate")
    assert done.code == 2
    assert "weir init" in done.err
    assert weir(tmp_path, "runs").code == 2


def test_the_project_is_found_from_below_and_by_name(tmp_path: Path, project: Path) -> None:
    assert weir(project / "interfaces", "validate").succeeded().out.startswith("ok: 2 connections")
    assert weir(tmp_path, "validate", "--project", str(project)).succeeded().out.startswith("ok: 2 connections")
    assert weir(tmp_path, "--project", str(project), "validate").succeeded().out.startswith("ok: 2 connections")


def test_queries_are_bound_before_anything_is_reached(tmp_path: Path, project: Path) -> None:
    done = weir(project, "query", "stripe_main", "SELECT emial FROM customers", environment=without_network(tmp_path))
    assert done.code == 2
    assert "query.sql:1:8" in done.err
    assert "did you mean `email`" in done.err
    assert "error: the SQL is wrong" in done.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(tmp_path: Path, shell: str) -> None:
    assert "_WEIR_COMPLETE" in weir(tmp_path, "completion", shell).succeeded().out
    variables = {"_WEIR_COMPLETE": "bash_complete", "COMP_WORDS": "weir test", "COMP_CWORD": "1"}
    assert "plain,test-connection" in weir(tmp_path, environment=variables).out


def test_the_catalogue_is_shown(tmp_path: Path) -> None:
    listed = json.loads(weir(tmp_path, "catalog", "--format", "json").succeeded().out)
    assert {"customers", "invoice_line_items"} <= {table["name"] for table in listed}
    assert "rak_refund_read" in weir(tmp_path, "catalog", "refunds").succeeded().out
    searched = weir(tmp_path, "catalog", "--search", "delinquent").succeeded().out.splitlines()[2:]
    assert [line.split()[::2] for line in searched] == [["customers", "delinquent"]]
    nothing = weir(tmp_path, "catalog", "--search", "zzz").succeeded()
    assert (nothing.out, nothing.err) == ("", "no table or column has `zzz` in its name\n")
    wrong = weir(tmp_path, "catalog", "refund")
    assert wrong.code == 64
    assert "did you mean `refunds`" in wrong.err


def test_a_connection_that_cannot_be_used_says_why(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    file = project / "connections" / "stripe_main.yaml"
    text = file.read_text().replace("base_url: sandbox\n", "")
    unread = weir(project, "verify", "stripe_main", "nope")
    assert unread.code == 64
    assert "nothing of `stripe_main` was read yet" in unread.err
    file.write_text(text.replace("is_source: true\n", "is_source: true\nis_active: false\n"))
    assert "stripe_main (inactive: runs leave its steps out): nothing was read yet" in weir(project, "status").out
    (told, other) = map(json.loads, weir(project, "status", "--format", "json").out.splitlines())
    assert (told["active"], other["active"]) == (False, True)
    (project / "connections" / "stripe_playground.yaml").unlink()
    tested = weir(project, "test-connection")
    assert tested.code == 64
    assert "no connection is active: `stripe_main` is switched off" in tested.err
    assert "it is inactive" in weir(project, "verify", "stripe_main").err
