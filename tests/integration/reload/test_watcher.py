"""Each way in which the files of a project change: how many changes are reported, and for which files."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from engine.app.reload.manifest import read_now
from engine.app.reload.watcher import Pace
from engine.source import Files
from tests.support.reload.watched import EVENTS, PATIENT, Watched, watching, write

CUSTOMERS = "interfaces/customers.yaml"
INVOICES = "interfaces/invoices.yaml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    write(folder, CUSTOMERS, "customers 1")
    write(folder, INVOICES, "invoices 1")
    write(folder, "connections/stripe.yaml", "stripe 1")
    write(folder, "schemas/customers.yaml", "table 1")
    return folder


def put_in_place(root: Path, name: str, text: str) -> None:
    """Save as editors do: write a new file beside the old one and rename it."""
    beside = write(root, f"{name}.tmp~", text)
    beside.replace(root / name)


def test_watcher_reports_a_file_written_in_place(root: Path) -> None:
    with watching(root) as watched:
        write(root, CUSTOMERS, "customers 2")
        assert watched.next() == {CUSTOMERS}
        watched.demand_rest()


def test_watcher_reports_each_replacement_of_a_file(root: Path) -> None:
    with watching(root) as watched:
        for number in (2, 3):
            put_in_place(root, CUSTOMERS, f"customers {number}")
            assert watched.next() == {CUSTOMERS}
        watched.demand_rest()


def test_watcher_ignores_a_write_of_the_same_content(root: Path) -> None:
    with watching(root) as watched:
        write(root, CUSTOMERS, "customers 1")
        watched.wait_for_scans(1)
        put_in_place(root, INVOICES, "invoices 1")
        os.utime(root / CUSTOMERS)
        (root / CUSTOMERS).chmod(0o600)
        watched.wait_for_scans(1)
        watched.demand_rest()


def test_watcher_ignores_a_change_that_is_reverted(root: Path) -> None:
    with watching(root, PATIENT) as watched:
        write(root, CUSTOMERS, "customers 2")
        watched.wait_for_scans(2)  # The first scan has seen it and has not reported it yet.
        write(root, CUSTOMERS, "customers 1")
        watched.demand_rest()


def test_watcher_reports_an_update_of_a_config_map_once(tmp_path: Path) -> None:
    root, mount = tmp_path / "project", tmp_path / "project" / "interfaces"

    def publish(number: int) -> None:
        """Publish as the kubelet does: make a new folder, swap one link, delete the old folder."""
        fresh = mount / f"..{number}"
        fresh.mkdir(parents=True)
        (fresh / "customers.yaml").write_text(f"customers {number}")
        (mount / "..data_tmp").symlink_to(fresh.name)
        (mount / "..data_tmp").replace(mount / "..data")
        shutil.rmtree(mount / f"..{number - 1}", ignore_errors=True)

    publish(1)
    (mount / "customers.yaml").symlink_to("..data/customers.yaml")
    with watching(root) as watched:
        assert watched.seen.files.raw == {CUSTOMERS: b"customers 1"}
        for number in (2, 3):
            publish(number)
            assert watched.next() == {CUSTOMERS}
            assert watched.seen.files.raw[CUSTOMERS] == f"customers {number}".encode()
        watched.demand_rest()


def test_watcher_reports_files_in_a_new_nested_folder(root: Path) -> None:
    with watching(root) as watched:
        write(root, "interfaces/finance/eu/refunds.yaml", "refunds 1")
        assert watched.next() == {"interfaces/finance/eu/refunds.yaml"}
        write(root, "interfaces/finance/eu/refunds.yaml", "refunds 2")
        assert watched.next() == {"interfaces/finance/eu/refunds.yaml"}
        shutil.rmtree(root / "interfaces" / "finance")
        assert watched.next() == {"interfaces/finance/eu/refunds.yaml"}
        watched.demand_rest()


def test_watcher_reports_each_of_five_hundred_files_once(root: Path) -> None:
    with watching(root) as watched:
        names = {f"interfaces/part_{number % 5}/flow_{number}.yaml" for number in range(500)}
        for name in names:
            write(root, name, name)
        found: set[str] = set()
        while found != names:
            fresh = watched.next()
            assert fresh
            assert not fresh & found
            found |= fresh
        watched.demand_rest()


def test_watcher_follows_a_replaced_root(root: Path, tmp_path: Path) -> None:
    shutil.copytree(root, tmp_path / "fresh")
    write(tmp_path / "fresh", CUSTOMERS, "customers 2")
    with watching(root) as watched:
        root.rename(tmp_path / "old")
        (tmp_path / "fresh").rename(root)
        assert watched.next() == {CUSTOMERS}
        write(root, INVOICES, "invoices 2")
        assert watched.next() == {INVOICES}
        write(tmp_path / "old", CUSTOMERS, "nobody looks here any more")
        watched.demand_rest()


def test_watcher_does_not_report_a_missing_root_as_empty(root: Path, tmp_path: Path) -> None:
    with watching(root, Pace(rescan=0.2)) as watched:
        root.rename(tmp_path / "away")
        watched.wait_for_scans(6)
        (tmp_path / "away").rename(root)
        watched.demand_rest()


@pytest.mark.parametrize("below", ["", "shop"])
def test_watcher_follows_a_swapped_link_to_the_root(tmp_path: Path, below: str) -> None:
    """As git-sync does. If the link is further up, no event reports it, and a scan finds it."""

    def publish(number: int) -> Path:
        fresh = tmp_path / f"revision_{number}"
        write(fresh / below, CUSTOMERS, f"customers {number}")
        (tmp_path / "next").symlink_to(fresh.name)
        (tmp_path / "next").replace(tmp_path / "current")
        return fresh / below

    publish(1)
    root = tmp_path / "current" / below
    with watching(root, Pace(rescan=0.5) if below else EVENTS) as watched:
        for number in (2, 4):
            fresh = publish(number)
            assert watched.next() == {CUSTOMERS}
            assert watched.seen.files.raw[CUSTOMERS] == f"customers {number}".encode()
            write(fresh, CUSTOMERS, f"customers {number + 1}")
            assert watched.next() == {CUSTOMERS}
        watched.demand_rest()


PAUSES = pytest.mark.parametrize(("pause", "pace"), [(0.15, EVENTS), (0.6, PATIENT)], ids=["as usual", "patient"])
"""Between two writes that belong together. Only the second pause is longer than events take by themselves, so that the
watcher's own patience makes one change of these."""


@PAUSES
def test_watcher_reports_a_write_in_parts_once(root: Path, pause: float, pace: Pace) -> None:
    with watching(root, pace) as watched:
        with (root / CUSTOMERS).open("w") as stream:
            for part in ("cust", "om", "ers", " 2"):
                stream.write(part)
                stream.flush()
                time.sleep(pause)
        assert watched.until(CUSTOMERS, "customers 2") == 1
        watched.demand_rest()


@PAUSES
def test_watcher_reports_successive_replacements_as_one_change(root: Path, pause: float, pace: Pace) -> None:
    with watching(root, pace) as watched:
        put_in_place(root, CUSTOMERS, "customers 2")
        time.sleep(pause)
        put_in_place(root, INVOICES, "invoices 2")
        assert watched.next() == {CUSTOMERS, INVOICES}
        watched.demand_rest()


def test_watcher_reports_a_file_saved_repeatedly_at_intervals(root: Path) -> None:
    with watching(root) as watched:
        stop = threading.Event()
        editor = threading.Thread(target=save_until, args=(stop, root))
        editor.start()
        try:
            for _ in range(2):  # It is saved all the time: no change waits for the end.
                assert watched.next() == {CUSTOMERS}
        finally:
            stop.set()
            editor.join()
        write(root, CUSTOMERS, "customers at last")
        assert watched.until(CUSTOMERS, "customers at last") <= 2
        watched.demand_rest()


def save_until(stop: threading.Event, root: Path) -> None:
    """Save changed text every 150 ms."""
    number = 0
    while not stop.wait(0.15):
        number += 1
        write(root, CUSTOMERS, f"customers {number}")


def test_watcher_reports_a_checkout_of_another_branch_once(root: Path) -> None:
    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *identity, *arguments], cwd=root, check=True, capture_output=True)

    git("init")
    git("add", ".")
    git("commit", "-m", "one")
    git("checkout", "-b", "other")
    write(root, CUSTOMERS, "customers 2")
    (root / INVOICES).unlink()
    write(root, "interfaces/new/refunds.yaml", "refunds 1")
    git("add", "-A")
    git("commit", "-m", "two")
    changed = {CUSTOMERS, INVOICES, "interfaces/new/refunds.yaml"}
    with watching(root) as watched:
        for branch in ("main", "other"):
            git("checkout", branch)
            assert watched.next() == changed
        watched.demand_rest()


def test_watcher_ignores_temporary_files_of_editors(root: Path) -> None:
    with watching(root) as watched:
        for name in (".customers.yaml.swp", "4913", "customers.yaml~", "#customers.yaml#", ".#customers.yaml"):
            write(root, f"interfaces/{name}", "for the editor only")
        watched.wait_for_scans(1)
        write(root, CUSTOMERS, "customers 2")
        assert watched.next() == {CUSTOMERS}
        for name in (".customers.yaml.swp", "4913", "customers.yaml~"):
            (root / "interfaces" / name).unlink()
        watched.wait_for_scans(1)
        watched.demand_rest()


def test_watcher_reports_a_file_deleted_during_a_scan(root: Path) -> None:
    doomed: list[Path] = []

    def read(folder: Path) -> Files:
        """Like a scan that has listed the file and then does not find it."""
        gone = [file for file in doomed if file.exists()]
        for file in gone:
            file.unlink()
        found = read_now(folder)
        names = frozenset(file.relative_to(folder).as_posix() for file in gone)
        return Files({name: raw for name, raw in found.raw.items() if name not in names}, names)

    with watching(root, read=read) as watched:
        doomed.append(root / CUSTOMERS)
        write(root, INVOICES, "invoices 2")
        assert watched.next() == {CUSTOMERS, INVOICES}
        assert watched.seen.files.unread == frozenset()
        watched.demand_rest()


def test_watcher_reports_a_file_that_becomes_unreadable(root: Path) -> None:
    with watching(root) as watched:
        (root / CUSTOMERS).unlink()
        (root / CUSTOMERS).symlink_to(root.parent / "outside.yaml")
        write(root.parent, "outside.yaml", "not of this project")
        assert watched.next() == {CUSTOMERS}
        assert watched.seen.files.unread == {CUSTOMERS}
        watched.demand_rest()


def test_watcher_with_polling_needs_no_events(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchfiles.watch", lambda *_, **__: pytest.fail("there are no events here"))
    with watching(root, Pace(rescan=0.2, polling=True)) as watched:
        write(root, CUSTOMERS, "customers 2")
        assert watched.next() == {CUSTOMERS}
        put_in_place(root, CUSTOMERS, "customers 2")
        watched.wait_for_scans(2)
        watched.demand_rest()


def test_watcher_without_available_watches_scans(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> object:
        raise OSError(28, "no space left on device")
        yield

    monkeypatch.setattr("watchfiles.watch", refuse)
    with watching(root) as watched:
        write(root, CUSTOMERS, "customers 2")
        assert watched.next() == {CUSTOMERS}
        watched.demand_rest()


def test_watcher_reports_a_change_among_ten_thousand_files(root: Path) -> None:
    for number in range(10_000):
        folder = root / "interfaces" / f"part_{number % 20}"
        folder.mkdir(exist_ok=True)
        (folder / f"flow_{number}.yaml").write_bytes(b"flow %d" % number)
    with watching(root) as watched:
        write(root, "interfaces/part_7/flow_7.yaml", "another flow")
        assert watched.next() == {"interfaces/part_7/flow_7.yaml"}


def test_watcher_stops_while_it_waits(root: Path) -> None:
    watched = Watched(root, EVENTS, read_now)
    watched.wait_for_scans(1)
    watched.close()
