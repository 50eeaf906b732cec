"""What a reload activates, what it does not, what it reports, and what a restart finds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.app.reload.generation import KEPT, GenerationStore
from engine.app.reload.manifest import read_now
from engine.app.reload.reloader import Delta, Reload
from tests.support.reload.definitions import BASE, BROKEN, Project, derive, files_of, load, opened, table

FULL = load("b", sql="SELECT id, email FROM customers WHERE email IS NOT NULL")


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with opened(tmp_path) as found:
        assert found.live == BASE
        yield found


def codes(reload: Reload) -> list[str]:
    return [found.code for found in reload.fresh]


def test_broken_file_keeps_only_dependent_files_inactive(project: Project) -> None:
    wider = table("a", "  name: text\n")
    reload = project.save(interfaces__a=BROKEN, schemas__a=wider, interfaces__b=FULL)
    assert codes(reload) == ["E403"]
    assert reload.generation is not None
    assert reload.generation.held == ("interfaces/a.yaml", "schemas/a.yaml")
    assert reload.delta == Delta(changed=("b",))
    assert project.live == {**BASE, "interfaces/b.yaml": FULL}


def test_connection_of_a_broken_file_stays_inactive_with_its_interfaces(project: Project) -> None:
    connection = BASE["connections/stripe.yaml"] + "timeout_ms: 20000\n"
    reload = project.save(interfaces__a=BROKEN, connections__stripe=connection, interfaces__b=FULL)
    assert not reload.is_new
    assert project.live == BASE


def test_broken_connection_keeps_its_interfaces_inactive(project: Project) -> None:
    wider = table("d")
    reload = project.save(
        connections__stripe="kind: connection\nname: stripe_main\n", interfaces__b=FULL, schemas__d=wider
    )
    assert reload.generation is not None
    assert reload.generation.held == ("connections/stripe.yaml", "interfaces/b.yaml")
    assert project.live == {**BASE, "schemas/d.yaml": wider}


def test_new_broken_file_is_not_activated(project: Project) -> None:
    reload = project.save(interfaces__d="kind: interface\nname: d\nsteps: [", interfaces__b=FULL)
    assert reload.generation is not None
    assert reload.generation.held == ("interfaces/d.yaml",)
    assert project.live == {**BASE, "interfaces/b.yaml": FULL}


def test_broken_test_file_does_not_affect_its_interface(project: Project) -> None:
    reload = project.save(**{"interfaces__b.test": "kind: test\ncases: [", "interfaces__b": FULL})
    assert reload.generation is not None
    assert (reload.delta, reload.generation.held) == (Delta(changed=("b",)), ("interfaces/b.test.yaml",))
    fixed = project.save(**{"interfaces__b.test": "kind: test\ncases: [{name: a, given: {nowhere: {}}}]\n"})
    assert fixed.generation is not None
    assert (fixed.delta, fixed.generation.held, codes(fixed)) == (Delta(), (), [])


def test_interface_that_names_a_new_broken_table_is_not_activated(project: Project) -> None:
    """Activated alone, the interface would name a table that does not exist."""
    moved = load("b", into="d")
    reload = project.save(
        schemas__d="kind: schema\nname: d\ncolumns: [",
        interfaces__b=moved,
        interfaces__a=load("a", more="timeout: 5m\n"),
    )
    assert reload.delta == Delta(changed=("a",))
    assert project.live["interfaces/b.yaml"] == BASE["interfaces/b.yaml"]
    assert "schemas/d.yaml" not in project.live


def test_duplicate_name_keeps_both_definitions_as_they_were(project: Project) -> None:
    """The finding is about the second one in order of path, which may be the older one."""
    reload = project.save_files({"interfaces/_new.yaml": load("b", more="timeout: 5m\n"), "interfaces/c.yaml": None})
    assert "E303" in codes(reload)
    assert reload.delta == Delta(removed=("c",))
    assert "interfaces/_new.yaml" not in project.live
    assert "interfaces/b.yaml" in project.live


def test_deleted_table_that_is_in_use_stays_active(project: Project) -> None:
    reload = project.save(schemas__b=None, interfaces__c=None)
    assert codes(reload)[0] == "E302"
    assert reload.delta == Delta(removed=("c",))
    assert "schemas/b.yaml" in project.live


def test_deleted_table_that_only_a_box_reads_stays_active(project: Project) -> None:
    reload = project.save(schemas__a=None, interfaces__a=None)
    assert not reload.is_new
    assert "schemas/a.yaml" in project.live


def test_deleted_file_removes_its_interface(project: Project) -> None:
    reload = project.save(interfaces__c=None)
    assert reload.delta == Delta(removed=("c",))
    assert "interfaces/c.yaml" not in project.live
    assert project.save(interfaces__c=BASE["interfaces/c.yaml"]).delta == Delta(added=("c",))


def test_broken_file_that_is_deleted_removes_its_interface(project: Project) -> None:
    assert not project.save(interfaces__c="kind: [").is_new
    assert project.save(interfaces__c=None).delta == Delta(removed=("c",))


def test_moved_file_or_new_comment_is_no_change(project: Project) -> None:
    text = project.texts["interfaces/b.yaml"]
    reload = project.save_files({"interfaces/b.yaml": None, "interfaces/deep/b.yaml": text})
    assert reload.is_new
    assert not reload.delta
    assert not project.save_files({"interfaces/deep/b.yaml": f"# about b\n{text}"}).delta
    assert not project.save_files({"schemas/b.yaml": None, "schemas/deep/b.yaml": BASE["schemas/b.yaml"]}).delta


def test_moved_broken_file_keeps_the_old_definition_active(project: Project) -> None:
    reload = project.save_files({"schemas/b.yaml": None, "schemas/moved.yaml": "kind: schema\nname: b\ncolumns: {"})
    assert not reload.is_new
    assert project.live == BASE
    reload = project.save_files({"schemas/moved.yaml": BASE["schemas/b.yaml"]})
    assert reload.is_new
    assert not reload.delta


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("interfaces/b.yaml", "steps:", "timeout: 5m\nsteps:"),
        ("interfaces/b.yaml", "steps:", "is_active: false\nsteps:"),
        ("interfaces/b.yaml", "steps:", "schedule: {every: 15m}\nsteps:"),
        ("interfaces/b.yaml", "steps:", "retry: {times: 5}\nsteps:"),
        ("interfaces/b.yaml", "steps:", "triggers: {api: true}\nsteps:"),
        ("interfaces/b.yaml", "steps:", "concurrency: {on_overlap: wait}\nsteps:"),
        ("interfaces/b.yaml", "FROM customers", "FROM customers LIMIT 5"),
        ("interfaces/b.yaml", "      map:", "      action: replace\n      map:"),
        ("interfaces/b.yaml", "email: email", "email: id"),
        ("interfaces/b.yaml", "    import:", "    on_error: continue\n    import:"),
        ("interfaces/b.yaml", "    import:", "    on_empty: stop\n    import:"),
        ("interfaces/b.yaml", "    import:", "    snapshot: true\n    import:"),
        ("schemas/b.yaml", "email: text", "email: {type: text, required: true}"),
        ("schemas/b.yaml", "email: text", "email: {type: text, default: none}"),
        ("schemas/b.yaml", "email: text", "email: text\n  name: text"),
    ],
)
def test_edit_that_affects_runs_is_a_change_of_the_interface(project: Project, name: str, old: str, new: str) -> None:
    assert old in BASE[name]
    reload = project.save_files({name: BASE[name].replace(old, new)})
    assert codes(reload) == []
    assert reload.delta == Delta(changed=("b",))


@pytest.mark.parametrize(
    "more",
    [
        "timeout_ms: 20000",
        "mode: test",
        "accounts: [acct_1abc]",
        "limits: {requests_per_second: 5}",
        "optional: [disputes]",
    ],
)
def test_edited_connection_changes_all_its_interfaces(project: Project, more: str) -> None:
    reload = project.save(connections__stripe=f"{BASE['connections/stripe.yaml']}{more}\n")
    assert codes(reload) == []
    assert reload.delta == Delta(changed=("a", "b"))


def test_connection_with_another_key_is_a_change(project: Project) -> None:
    other = BASE["connections/stripe.yaml"].replace("STRIPE_SECRET_KEY", "STRIPE_OTHER_KEY")
    assert project.save(connections__stripe=other).delta == Delta(changed=("a", "b"))


def test_reload_reports_a_finding_once_and_clears_it_when_fixed(project: Project) -> None:
    assert codes(project.save(interfaces__a=BROKEN)) == ["E403"]
    # Lines inserted above change the place of the finding, but not its identity.
    assert codes(project.save(interfaces__a=f"# a comment\n\n{BROKEN}")) == []
    second = project.save(interfaces__b="kind: interface\nname: b\nsteps: [")
    assert codes(second) == ["E104"]
    assert second.cleared == ()
    fixed = project.save(interfaces__a=BASE["interfaces/a.yaml"])
    assert codes(fixed) == []
    assert [found.code for found in fixed.cleared] == ["E403"]
    assert [found.code for found in project.save(interfaces__b=None).cleared] == ["E104"]


def test_unchanged_files_make_no_generation(project: Project) -> None:
    assert project.reloader.live is not None
    number = project.reloader.live.number
    assert not project.save().is_new
    assert project.save(interfaces__b=FULL).is_new
    assert project.reloader.live.number == number + 1


def test_first_load_skips_broken_files_and_their_dependents(tmp_path: Path) -> None:
    """`c` reads what `a` fills, and `b` only shares a connection with it."""
    with opened(tmp_path, {**BASE, "interfaces/a.yaml": BROKEN}) as project:
        first = project.reloader.live
        assert first is not None
        assert list(first.checked.project.interfaces) == ["b"]
        assert first.held == ("interfaces/a.yaml", "interfaces/c.yaml", "schemas/a.yaml", "schemas/c.yaml")
        assert project.save(interfaces__a=BASE["interfaces/a.yaml"]).delta == Delta(added=("a", "c"))
        assert project.live == BASE


def test_first_load_skips_a_file_that_is_not_yaml(tmp_path: Path) -> None:
    with opened(tmp_path, {**BASE, "interfaces/b.yaml": "kind: ["}) as project:
        assert project.live == {name: text for name, text in BASE.items() if name != "interfaces/b.yaml"}


@pytest.mark.parametrize(
    "broken",
    [
        {"connections/stripe.yaml": "kind: connection\nname: stripe_main\n"},
        {"weir.yaml": "kind: settings\nbogus: 1\n"},
        {"weir.yaml": "kind: settings\nstate: ["},
        {f"interfaces/{name}.yaml": "kind: [" for name in "abc"},
    ],
)
def test_first_load_with_nothing_to_run_activates_nothing(tmp_path: Path, broken: dict[str, str]) -> None:
    """A project never starts with other settings than its own, because they limit what is read and written."""
    with opened(tmp_path, {**BASE, **broken}) as project:
        assert project.reloader.live is None
        assert project.save_files({name: BASE.get(name) for name in broken}).delta == Delta(added=("a", "b", "c"))
        assert project.live == BASE


def test_generation_after_one_that_no_longer_compiles_gets_a_new_number(tmp_path: Path) -> None:
    """This happens when a newer version reports more errors. A restart looks for the highest number."""
    with opened(tmp_path) as first:
        assert first.reloader.live is not None
        unsound = replace(first.reloader.live, number=7, files=files_of({**BASE, "interfaces/a.yaml": BROKEN}))
        GenerationStore(tmp_path / "generations").keep(unsound)
    with opened(tmp_path) as second:
        assert second.reloader.live is not None
        assert second.reloader.live.number == 8
    with opened(tmp_path, {**BASE, "weir.yaml": "kind: ["}) as third:
        assert third.live == BASE


def test_restart_over_broken_files_restores_the_last_good_generation(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        first.save(interfaces__b=FULL)
    with opened(tmp_path, {**BASE, "interfaces/a.yaml": BROKEN, "interfaces/b.yaml": FULL}) as second:
        assert second.reloader.live is not None
        assert second.reloader.live.number == 2
        assert second.live == {**BASE, "interfaces/b.yaml": FULL}
        assert second.save(interfaces__a=BASE["interfaces/a.yaml"]).is_new is False


@pytest.mark.parametrize(
    "spoilt", ["", "{", "[]", "null", '{"format": 1}', '{"format": 1, "files": []}', '{"format": 1, "files": {"a": 1}}']
)
def test_restart_ignores_an_unreadable_generation(tmp_path: Path, spoilt: str) -> None:
    with opened(tmp_path) as first:
        first.save(interfaces__b=FULL)
    newest = max((tmp_path / "generations").glob("*.json"))
    newest.write_text(spoilt)
    with opened(tmp_path, {**BASE, "interfaces/a.yaml": BROKEN}) as second:
        assert second.live == BASE


def test_restart_ignores_a_generation_edited_by_hand(tmp_path: Path) -> None:
    with opened(tmp_path) as first:
        first.save(interfaces__b=FULL)
    newest = max((tmp_path / "generations").glob("*.json"))
    found = json.loads(newest.read_text())
    del found["files"]["interfaces/c.yaml"]
    newest.write_text(json.dumps(found))
    with opened(tmp_path, {**BASE, "interfaces/a.yaml": BROKEN}) as second:
        assert second.live == BASE


def test_store_keeps_only_the_newest_generations(tmp_path: Path) -> None:
    with opened(tmp_path) as project:
        for number in range(KEPT + 3):
            project.save(interfaces__b=load("b", more=f"timeout: {number + 1}m\n"))
    assert len(list((tmp_path / "generations").iterdir())) == KEPT
    with opened(tmp_path, {**BASE, "interfaces/b.yaml": "kind: ["}) as second:
        assert f"timeout: {KEPT + 3}m" in second.live["interfaces/b.yaml"]


def test_generation_that_cannot_be_stored_is_still_activated(tmp_path: Path) -> None:
    (tmp_path / "generations").write_text("a file stands where the folder should be")
    with opened(tmp_path) as project:
        assert project.live == BASE


def test_changed_state_folder_takes_effect_after_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path, state=".weir") as project:
        settings = "kind: settings\nstate: elsewhere\npolicy: {reject_limit: 5}\n"
        reload = project.save_files({"weir.yaml": settings, "interfaces/b.yaml": FULL})
        assert reload.fixed == ("state",)
        assert reload.delta == Delta(changed=("b",))
        assert "weir.yaml" not in project.live
        reload = project.save_files({"weir.yaml": settings.replace("state: elsewhere\n", "")})
        assert reload.fixed == ()
        assert reload.generation is not None
        assert reload.generation.checked.project.settings.policy.reject_limit == 5
    with opened(tmp_path, {**BASE, "weir.yaml": settings}, state="elsewhere") as restarted:
        assert restarted.reloader.live is not None
        assert restarted.reloader.live.checked.project.settings.state == "elsewhere"


def test_removed_agent_that_is_in_use_stays_active(project: Project) -> None:
    settings = "kind: settings\nagents: {near: {executor: inline}}\n"
    connection = BASE["connections/stripe.yaml"] + "agent: near\n"
    assert project.save_files({"weir.yaml": settings, "connections/stripe.yaml": connection}).is_new
    reload = project.save_files({"weir.yaml": "kind: settings\n", "schemas/d.yaml": table("d")})
    assert codes(reload) == ["E307"]
    assert project.live["weir.yaml"] == settings
    assert "schemas/d.yaml" in project.live


def test_broken_settings_keep_the_previous_ones_active(project: Project) -> None:
    assert project.save_files({"weir.yaml": "kind: settings\npolicy: {reject_limit: 5}\n"}).is_new
    reload = project.save_files({"weir.yaml": "kind: settings\nbogus: 1\n", "interfaces/b.yaml": FULL})
    assert reload.delta == Delta(changed=("b",))
    assert reload.generation is not None
    assert reload.generation.held == ("weir.yaml",)
    assert reload.generation.checked.project.settings.policy.reject_limit == 5


def test_unreadable_folder_keeps_its_definitions_active(project: Project, tmp_path: Path) -> None:
    """With real files: an unreadable folder is reported and does not count as deleted."""
    root = tmp_path / "project"
    for name, text in {**BASE, "interfaces/deep/d.yaml": load("d", into="b2"), "schemas/b2.yaml": table("b2")}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    assert project.reloader.offer(read_now(root)).delta == Delta(added=("d",))
    (root / "interfaces" / "deep").rename(tmp_path / "outside")
    (root / "interfaces" / "deep").symlink_to(tmp_path / "outside")
    (root / "interfaces" / "b.yaml").write_text(FULL)
    reload = project.reloader.offer(read_now(root))
    assert codes(reload)[0] == "E113"
    assert reload.delta == Delta(changed=("b",))
    assert "interfaces/deep/d.yaml" in project.live
    (root / "interfaces" / "deep").unlink()
    reload = project.reloader.offer(read_now(root))
    assert reload.delta == Delta(removed=("d",))
    assert "E113" in [found.code for found in reload.cleared]


def test_unreadable_file_is_reported_and_keeps_its_definition_active(project: Project, tmp_path: Path) -> None:
    root = tmp_path / "project"
    for name, text in BASE.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "interfaces" / "a.yaml").unlink()
    os.mkfifo(root / "interfaces" / "a.yaml")
    reload = project.reloader.offer(read_now(root))
    assert codes(reload) == ["E116"]
    assert project.live == BASE


def test_interfaces_that_read_each_other_are_activated_together(project: Project) -> None:
    reload = project.save(
        interfaces__c=derive("c", "SELECT id, emial AS email FROM a"), interfaces__a=load("a", more="timeout: 5m\n")
    )
    assert not reload.is_new
    assert project.live == BASE
