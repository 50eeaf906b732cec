"""`weir review` as a process, in repositories as teams have them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from engine.report.findings.markdown import MOST_CHARACTERS
from tests.support.processes.command import shipped_project, weir
from tests.support.repository import Repository

INTERFACE = """
kind: interface
name: {name}
steps:
  - stop_if: SELECT count(*) = 0 FROM payments
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A repository that holds a project in a folder of its own, beside something else."""
    made = Repository(tmp_path)
    (tmp_path / "README").write_text("a team's repository\n")
    shipped_project(tmp_path / "weir")
    made.commit("first")
    return made


def edit(project: Path, file: str, before: str, after: str) -> None:
    text = (project / file).read_text()
    assert before in text
    (project / file).write_text(text.replace(before, after, 1))


def test_a_pull_request_that_opens_a_target_says_what_it_exposes_writes_and_costs(repository: Repository) -> None:
    project = repository.folder / "weir"
    edit(project, "connections/stripe_playground.yaml", "is_target: true", "is_target: false")
    repository.commit("nothing may be written")
    edit(project, "connections/stripe_playground.yaml", "is_target: false", "is_target: true")
    weir(project, "run").succeeded()

    done = weir(project, "review", "--format", "markdown").succeeded()
    assert "connection `stripe_playground`: changed (extends access)" in done.out
    assert "**operations that move money**" in done.out
    assert "`customer_tiers.push`: update of `customers`" in done.out
    assert "at most 10,000 writes per run (last run: 59); runs every 1h" in done.out
    assert "| `is_target` | false | true |" in done.out
    assert "| `stripe_playground` | no requests | about " in done.out
    assert "sk_test" not in done.out


def test_only_what_the_branch_itself_changes_is_reviewed(repository: Repository) -> None:
    project = repository.folder / "weir"
    repository.git("checkout", "--quiet", "-b", "mine")
    edit(project, "interfaces/payments.yaml", "every: 15m", "every: 30m")
    repository.commit("mine")
    repository.git("checkout", "--quiet", "main")
    edit(project, "connections/stripe_main.yaml", "timeout_ms: 30000", "timeout_ms: 40000")
    repository.commit("somebody else's")
    repository.git("checkout", "--quiet", "mine")

    told = json.loads(weir(project, "review", "--base", "main", "--format", "json").succeeded().out)
    assert [(each["kind"], each["name"]) for each in told["changes"]] == [("interface", "payments")]
    assert told["changes"][0]["edits"] == [{"field": "schedule.every", "before": "15m", "after": "30m"}]
    assert told["base"] == repository.git("rev-parse", "main^")
    assert weir(project, "review", "--base", "main", "--detailed-exitcode").code == 4
    assert weir(project, "review", "--detailed-exitcode").succeeded().out.startswith("no definition changed")


def test_what_a_change_breaks_is_said_and_fails(repository: Repository) -> None:
    project = repository.folder / "weir"
    edit(project, "interfaces/payments.yaml", "failure_code AS failure", "failure_cod AS failure")
    done = weir(project, "review")
    assert done.code == 2
    assert "error[E403]" in done.out
    assert "interfaces/payments.yaml:" in done.out
    assert "failure_code" in done.out
    assert "a run of everything asks" not in done.out


def test_links_and_odd_names_are_read_as_they_were(repository: Repository) -> None:
    project = repository.folder / "weir"
    odd = project / "interfaces" / "größe und mehr"
    odd.mkdir()
    (odd / "a b.yaml").write_text(INTERFACE.format(name="odd"))
    (odd / "linked.yaml").symlink_to("../../outside.yaml")
    (project / "outside.yaml").write_text(INTERFACE.format(name="linked"))
    repository.commit("odd")
    assert weir(project, "review", "--detailed-exitcode").out.startswith("no definition changed")
    (odd / "linked.yaml").unlink()
    assert "interface linked: removed" in weir(project, "review", "--no-color").out


def test_a_comment_is_never_longer_than_a_comment_may_be(repository: Repository) -> None:
    project = repository.folder / "weir"
    for number in range(400):
        (project / "interfaces" / f"made_{number}.yaml").write_text(INTERFACE.format(name=f"made_{number}"))
    done = weir(project, "review", "--format", "markdown").succeeded()
    assert len(done.out) < MOST_CHARACTERS
    assert "400 interfaces changed" in done.out
    assert "changes more: use `weir review` to list them" in done.out


def test_what_cannot_be_compared_is_said(repository: Repository, tmp_path_factory: pytest.TempPathFactory) -> None:
    project = repository.folder / "weir"
    unknown = weir(project, "review", "--base", "nowhere")
    assert (unknown.code, "git fetch" in unknown.err) == (64, True)
    injected = weir(project, "review", "--base=--output=x")
    assert injected.code == 64
    outside = tmp_path_factory.mktemp("outside") / "weir"
    shutil.copytree(project, outside)
    done = weir(outside, "review")
    assert (done.code, "not a git repository" in done.err) == (3, True)
    Repository(outside)
    done = weir(outside, "review")
    assert (done.code, "nothing was committed yet" in done.err) == (3, True)


def test_a_project_that_was_not_there_is_all_new(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    repository.commit("nothing")
    shipped_project(tmp_path)
    done = weir(tmp_path, "review", "--no-color").succeeded()
    assert "connection stripe_playground: new  extends access" in done.out
    assert "interface payments: new" in done.out
    assert "fixed" not in done.out
