"""What the stages receive (parameters, settings, secrets, addresses), and the exit codes of runs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from engine.app.authoring.scaffold import start_project
from engine.app.checking.check import DefinitionsError, check_project, check_sound, given_parameters
from engine.app.doctor import examine
from engine.app.errors import Exit, RefusalError
from engine.app.running.plan import make_plan
from engine.app.running.run import exit_code, tracked_parameters
from engine.app.running.sandbox import SandboxAddress
from engine.app.running.world import connection_config, demand_secret, new_run_id
from engine.app.workspace import Workspace
from engine.connector import ConnectorError, Failure, FailureKind
from engine.connector.installed import installed_connectors
from engine.connector.sandbox import SANDBOX_KEY
from engine.run import Outcome, Run

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    start_project(tmp_path / "fresh")
    return tmp_path / "fresh"


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


def run_with(status: Any, *kinds: FailureKind | None) -> Run:
    outcomes = tuple(
        Outcome(str(n), "extract", "", None, "failed", NOW, NOW, failure=Failure(kind, "no") if kind else None)
        for n, kind in enumerate(kinds)
    )
    return Run("r", (), status, NOW, NOW, "h", outcomes, {})


def test_given_parameters_reach_the_selected_interfaces(project: Path) -> None:
    found = check_project(Workspace.open(project)).project
    assert given_parameters(found, {"since": "2025-01-01"}) == {("customers", "since"): "2025-01-01"}
    assert given_parameters(found, {"customers.since": "x"}, ("cust*",)) == {("customers", "since"): "x"}
    with pytest.raises(RefusalError, match="sinse") as caught:
        given_parameters(found, {"sinse": "x"})
    assert caught.value.hint == "did you mean `since`?"
    with pytest.raises(RefusalError):
        given_parameters(found, {"since": "x"}, ("others",))


def test_plan_from_invalid_definitions_is_refused(project: Path) -> None:
    edit(project / "schemas" / "customers.yaml", "type: text", "type: txt")
    checked = check_project(Workspace.open(project))
    assert checked.has_errors
    with pytest.raises(DefinitionsError) as caught:
        check_sound(Workspace.open(project), {}, ())
    assert caught.value.code is Exit.DEFINITIONS
    with pytest.raises(DefinitionsError):
        make_plan(Workspace.open(project), (), {})


def test_plan_of_an_unknown_interface_is_refused(project: Path) -> None:
    with pytest.raises(RefusalError, match="custmers") as caught:
        make_plan(Workspace.open(project), ("custmers",), {})
    assert caught.value.code is Exit.USAGE


def test_sandbox_replaces_address_and_key_of_a_connection(project: Path) -> None:
    _, plan = make_plan(Workspace.open(project), (), {})
    (settings,) = plan.connections
    config = connection_config(settings, project, SandboxAddress("http://127.0.0.1:1", SANDBOX_KEY))
    assert config["base_url"] == "http://127.0.0.1:1"
    assert config["secret"] == ["sandbox", ""]
    demand_secret(settings, project, {})
    real = replace(settings, base_url=None)
    assert connection_config(real, project, None)["secret"] == ["env", "STRIPE_SECRET_KEY"]
    with pytest.raises(ConnectorError) as caught:
        demand_secret(real, project, {})
    assert caught.value.failure.kind is FailureKind.SECRET
    demand_secret(real, project, {"STRIPE_SECRET_KEY": "sk_test_1"})


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (run_with("succeeded"), Exit.OK),
        (run_with("stopped"), Exit.INTERRUPTED),
        (run_with("failed", FailureKind.KEY, FailureKind.UNREACHABLE), Exit.ENVIRONMENT),
        (run_with("failed", FailureKind.KEY, None), Exit.FAILED),
        (run_with("failed", FailureKind.REQUEST), Exit.FAILED),
        (run_with("failed"), Exit.FAILED),
    ],
)
def test_exit_code_follows_the_status_and_failures_of_a_run(run: Run, expected: Exit) -> None:
    assert exit_code(run) is expected


def test_exit_code_of_a_locked_file_is_busy() -> None:
    """A schedule retries a busy run."""
    busy = replace(run_with("failed", None).outcomes[0], code="E610")
    run = run_with("failed", None)
    assert exit_code(replace(run, outcomes=(busy, busy))) is Exit.BUSY
    assert exit_code(replace(run, outcomes=(busy, *run.outcomes))) is Exit.FAILED


def test_tracked_parameters_are_listed_by_interface(project: Path) -> None:
    edit(project / "interfaces" / "customers.yaml", "type: timestamp\n", "type: timestamp\n    track: true\n")
    checked, plan = make_plan(Workspace.open(project), (), {})
    assert tracked_parameters(checked, plan) == {"customers": ("since",)}


def test_state_folder_is_private_and_ignored_by_git(tmp_path: Path) -> None:
    paths = Workspace.open(tmp_path).paths
    paths.prepare()
    assert (paths.folder / ".gitignore").read_text().endswith("*\n")
    assert paths.folder.stat().st_mode & 0o077 == 0


def test_run_ids_sort_by_time() -> None:
    later = NOW.replace(second=1)
    assert new_run_id(NOW) < new_run_id(later)
    assert new_run_id(NOW) != new_run_id(NOW)


def test_installed_connectors_are_keyed_by_name() -> None:
    connectors = installed_connectors()
    assert connectors["stripe"].name == "stripe"
    assert connectors["stripe"].category == "Billing"


def test_doctor_reports_missing_secrets_and_broken_settings(project: Path) -> None:
    edit(project / "connections" / "stripe_main.yaml", "base_url: sandbox\n", "")
    missing = {finding.name: finding for finding in examine(Workspace.open(project), {})}
    assert missing["secret of stripe_main"].verdict == "problem"
    present = {
        finding.name: finding for finding in examine(Workspace.open(project), {"STRIPE_SECRET_KEY": "sk_test_hidden"})
    }
    assert present["secret of stripe_main"].verdict == "ok"
    assert not any("hidden" in finding.message for finding in present.values())
    assert present["project"].verdict == "ok"
    (project / "weir.yaml").write_text("kind: settings\nstat: x\n")
    assert {finding.name: finding.verdict for finding in examine(Workspace.open(project), {})}["project"] == "problem"
