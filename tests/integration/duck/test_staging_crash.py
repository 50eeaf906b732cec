"""After kill -9 at any time, staging contains complete loads with their coverage and accepts the next one."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from engine.duck.staging.staging import DuckStaging
from tests.support.duck.staged import at_minute, catalogue, covered, rows, spool

ROWS = 2000
CHILD = """
import sys
from pathlib import Path
from engine.duck import DuckStaging
from tests.support.duck.staged import catalogue
from tests.integration.duck.test_staging_crash import load_generation
folder = Path(sys.argv[1])
staging = DuckStaging(folder / "stripe.duckdb", catalogue())
print("ready", flush=True)
for generation in range(int(sys.argv[2]), int(sys.argv[2]) + 1000):
    load_generation(staging, folder, generation)
    print(generation, flush=True)
"""


def load_generation(staging: DuckStaging, folder: Path, generation: int) -> None:
    """Replace all rows by those of a generation; each row contains its generation."""
    pages = [
        [{"id": f"ch_{page}_{row}", "amount": generation, "status": "x" * 300} for row in range(100)]
        for page in range(ROWS // 100)
    ]
    (folder / "spool").mkdir(exist_ok=True)
    for old in (folder / "spool").iterdir():
        old.unlink()
    file = spool(folder / "spool", pages)
    window = covered(generation % 60, gte=2 * generation, lt=2 * generation + 1)  # Touches no other one.
    staging.load([file], [window], at_minute(generation % 60))


def test_killed_load_leaves_a_complete_generation(tmp_path: Path) -> None:
    chance = random.Random(20261123)
    staging = DuckStaging(tmp_path / "stripe.duckdb", catalogue())
    finished = 0
    for _ in range(10):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tmp_path), str(finished + 1)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.02, 0.9))
        child.kill()
        out, _ = child.communicate()
        reported = [int(line) for line in out.splitlines()]
        finished = check(staging, max([finished, *reported]))
    assert finished > 0
    load_generation(staging, tmp_path, finished + 1)
    assert check(staging, finished + 1) == finished + 1


def check(staging: DuckStaging, reported: int) -> int:
    """The generation in the file: the reported one or the next. Asserts that all rows and the coverage are of it."""
    if not staging.path.exists():
        assert reported == 0
        return 0
    windows = [each.window.gte for each in staging.coverage()]
    if not windows:
        assert reported == 0
        return 0
    generation = max(each for each in windows if each is not None) // 2
    assert generation in (reported, reported + 1)
    assert rows(staging.path, "SELECT amount, count(*), count(DISTINCT id) FROM charges GROUP BY ALL") == [
        (generation, ROWS, ROWS)
    ]
    return generation
