"""SQL boxes can read only their tables and change nothing: two layers, each tested alone with every attack."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

import duckdb
import pytest

from engine.duck.boxes.hardening import Deadline, lock_down, open_instance
from engine.duck.boxes.runner import DuckBoxRunner
from engine.duck.files import attach
from engine.duck.staging.staging import DuckStaging
from engine.relation import TEXT, Column, Relation
from engine.run import BoxError, BoxLimits
from tests.support.duck.staged import at_minute, box, catalogue, covered, spool
from tests.support.security.attacks import ATTACKS

CANARY = "canary-6f1d2c9a"
LIMITS = BoxLimits(memory_bytes=256 << 20, seconds=2, threads=1, temp_bytes=64 << 20)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "spool").mkdir()
    (folder / "canary.txt").write_text(f'"{CANARY}"\n')
    (folder / "canary.csv").write_text(f"a,b\n{CANARY},2\n")
    staging = DuckStaging(folder / "stripe.duckdb", catalogue())
    staging.load([spool(folder / "spool", [[{"id": "ch_1"}]])], [covered(1)], at_minute(1))
    with duckdb.connect(str(folder / "store.duckdb")) as store:
        store.execute("CREATE TABLE people AS SELECT 'p1' AS id")
        store.execute(f"CREATE TABLE hidden AS SELECT '{CANARY}' AS secret")
    return folder


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_CANARY", CANARY)


def state(folder: Path) -> dict[str, str]:
    """Every file of the folder with its digest, except lock files (they contain the last process ID)."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def written(attack: str, folder: Path) -> str:
    return attack.format(
        canary=folder / "canary.txt",
        out=folder / "evil.out",
        folder=folder,
        staging=folder / "stripe.duckdb",
        store=folder / "store.duckdb",
    )


def test_attacks_are_many_and_distinct() -> None:
    assert len(set(ATTACKS)) == len(ATTACKS) >= 200


@pytest.mark.parametrize("attack", ATTACKS)
def test_box_runner_refuses_every_attack(attack: str, folder: Path, tmp_path: Path) -> None:
    python_canary = canary_rows = Relation((Column(CANARY, TEXT),))  # Names that a replacement scan would find.
    runner = DuckBoxRunner(
        {"stripe": folder / "stripe.duckdb"},
        {"stripe": catalogue()},
        folder / "store.duckdb",
        {"people": Relation((Column("id", TEXT),))},
    )
    before = state(folder)
    with pytest.raises(BoxError) as raised:
        runner.run(box(written(attack, folder), ("value", TEXT)), tmp_path / "result.duckdb", LIMITS)
    assert CANARY not in raised.value.reason
    assert "columns, expected" not in raised.value.reason
    assert raised.value.limit is None
    assert state(folder) == before
    assert list(tmp_path.iterdir()) == []
    assert python_canary is canary_rows


def test_locked_instance_alone_leaks_and_changes_nothing(folder: Path, tmp_path: Path) -> None:
    """Without the check of the parse tree: only attached files can be read, and nothing outside changes."""
    before = state(folder)
    leaked: list[str] = []
    for attack in ATTACKS:
        sql = written(attack, folder)
        if "hidden" in sql or "{store}" in attack or "{staging}" in attack:
            continue  # Attached on purpose below: only the check of the parse tree protects these.
        with contextlib.suppress(duckdb.Error, RuntimeError, ValueError), open_instance(LIMITS, tmp_path) as instance:
            attach(instance, folder / "store.duckdb", "weir_file_1", read_only=True)
            lock_down(instance, LIMITS)
            with Deadline(LIMITS.seconds, instance.interrupt):
                instance.execute("BEGIN TRANSACTION READ ONLY")
                for statement in instance.extract_statements(sql):
                    leaked += [attack] * str(instance.execute(statement).fetchall()).count(CANARY)
        assert state(folder) == before, attack
    assert leaked == []


def test_settings_of_a_locked_instance_cannot_be_changed(folder: Path, tmp_path: Path) -> None:
    with open_instance(LIMITS, tmp_path) as instance:
        lock_down(instance, LIMITS)
        for setting in ("enable_external_access = true", "lock_configuration = false", "memory_limit = '9GB'"):
            with pytest.raises(duckdb.Error, match=r"locked|Cannot"):
                instance.execute(f"SET {setting}")
        ((access,),) = instance.execute("SELECT current_setting('enable_external_access')").fetchall()
        assert access is False
