"""In a protected project, a risky change is pending until it is applied by its hash."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.app.checking.check import Checker
from engine.app.errors import Exit, RefusalError
from engine.app.reload.generation import GenerationStore
from engine.app.reload.reloader import Reloader
from engine.app.serving.apply import apply_pending, pending_now
from engine.app.workspace import Workspace
from tests.support.reload.definitions import BASE, NOW, Project, load

PROTECTED = "policy: {protected: true}\n"
TARGET = BASE["connections/stripe.yaml"] + "is_target: true\n"
FULL = load("b", sql="SELECT id, email FROM customers WHERE email IS NOT NULL")


@contextmanager
def opened(root: Path, texts: Mapping[str, str]) -> Iterator[Project]:
    workspace = Workspace.open(root)
    with Checker(workspace, remembers=True) as checker:
        store = GenerationStore(workspace.paths.generations)
        project = Project(Reloader(workspace, checker, store, lambda: NOW), texts)
        assert project.save().is_new
        yield project


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with opened(tmp_path, {**BASE, "weir.yaml": PROTECTED}) as found:
        yield found


def test_new_target_connection_is_pending_until_applied_by_its_hash(project: Project, tmp_path: Path) -> None:
    reload = project.save(connections__stripe=TARGET)
    assert not reload.is_new
    assert reload.pending is not None
    assert reload.pending.risks == ("connection `stripe_main`: `is_target` changed",)
    assert project.live["connections/stripe.yaml"] == BASE["connections/stripe.yaml"]
    with pytest.raises(RefusalError) as refused:
        apply_pending(Workspace.open(tmp_path), "0123456789ab")
    assert refused.value.code is Exit.BUSY
    assert not project.reloader.is_applied()
    apply_pending(Workspace.open(tmp_path), reload.pending.digest[:12])
    assert project.reloader.is_applied()
    assert project.save().is_new
    assert project.live["connections/stripe.yaml"] == TARGET
    assert pending_now(Workspace.open(tmp_path)) is None
    [noted] = [json.loads(line) for line in Workspace.open(tmp_path).paths.audit.read_text().splitlines()]
    assert (noted["what"], noted["digest"], noted["risks"]) == (
        "apply",
        reload.pending.digest,
        list(reload.pending.risks),
    )


def test_change_that_only_reads_is_activated_at_once(project: Project) -> None:
    reload = project.save(interfaces__b=FULL)
    assert (reload.is_new, reload.pending) == (True, None)


def test_change_that_drops_a_column_is_pending(project: Project) -> None:
    narrower = BASE["schemas/b.yaml"].replace("  email: text\n", "  mail: text\n")
    reload = project.save(schemas__b=narrower, interfaces__b=load("b").replace("email: email", "mail: email"))
    assert reload.pending is not None
    assert "table `b`: column `email` removed" in reload.pending.risks


def test_change_that_removes_the_protection_is_pending(project: Project) -> None:
    off = {"weir.yaml": "policy: {protected: false}\n", "connections/stripe.yaml": TARGET}
    reload = project.save_files(off)
    assert reload.pending is not None
    assert "weir.yaml: `policy` changed" in reload.pending.risks


def test_edit_after_apply_is_pending_again(project: Project, tmp_path: Path) -> None:
    first = project.save(connections__stripe=TARGET)
    assert first.pending is not None
    apply_pending(Workspace.open(tmp_path), first.pending.digest)
    second = project.save(connections__stripe=TARGET + "timeout_ms: 999\n")
    assert second.pending is not None
    assert not second.is_new


def test_reverted_change_is_no_longer_pending(project: Project, tmp_path: Path) -> None:
    project.save(connections__stripe=TARGET)
    reload = project.save(connections__stripe=BASE["connections/stripe.yaml"])
    assert (reload.is_new, reload.pending) == (False, None)
    assert pending_now(Workspace.open(tmp_path)) is None


def test_unprotected_project_activates_a_risky_change(tmp_path: Path) -> None:
    with opened(tmp_path, BASE) as found:
        assert found.save(connections__stripe=TARGET).is_new


def test_restart_without_stored_generations_activates_a_pending_change(tmp_path: Path) -> None:
    with opened(tmp_path, {**BASE, "weir.yaml": PROTECTED}) as found:
        assert found.save(connections__stripe=TARGET).pending is not None
    shutil.rmtree(Workspace.open(tmp_path).paths.generations)
    with opened(tmp_path, {**BASE, "weir.yaml": PROTECTED, "connections/stripe.yaml": TARGET}) as found:
        assert found.live["connections/stripe.yaml"] == TARGET
