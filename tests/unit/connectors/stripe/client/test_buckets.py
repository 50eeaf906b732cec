"""Buckets in a file: shared by limiters, threads and processes, private, and validated on every read."""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import stat
import subprocess
import sys
import threading
import time
from math import inf, nan
from pathlib import Path

import pytest

from engine.connectors.stripe.client import (
    API,
    AdaptiveLimiter,
    Allowance,
    Buckets,
    FileBuckets,
    Key,
    MemoryBuckets,
    Settings,
    open_key,
    shared_buckets,
)
from engine.connectors.stripe.client.endpoints import endpoint_of
from tests.support.stripe.stripe_limits import Provider, Wish, rush

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dcXYZ"


def shared(environment: dict[str, str], url: str = API, secret: str = "env", key: str = KEY) -> Buckets:
    """The buckets that all clients with this key share."""
    found = open_key(Settings("v", ("env", "K")), {"K": key})
    assert isinstance(found, Key)
    return shared_buckets(Settings("v", (secret, "K"), url), found, environment)


def due(buckets: Buckets, now: float, name: str = "all", rate: float = 10.0) -> float:
    """When the next request to an endpoint may be sent."""
    return buckets.change((name,), lambda found: found[0].reserve(now, rate))


def place(folder: Path) -> Path:
    """The only file below a folder."""
    (found,) = (path for path in folder.rglob("*") if path.is_file())
    return found


def test_limiters_on_one_file_keep_one_rate(tmp_path: Path) -> None:
    wishes = [Wish(["GET /v1/charges"], allowed=Allowance(50.0)), Wish(["GET /v1/refunds"], allowed=Allowance(50.0))]
    provider, _ = rush(
        wishes,
        10,
        lambda loop: Provider(loop.time, total=50.0),
        buckets=lambda loop: [FileBuckets(tmp_path / "limits", loop.time) for _ in wishes],
    )
    assert provider.rate(1, 10) >= 49
    assert not provider.reasons
    assert provider.rate(1, 10, client=0) == pytest.approx(25, abs=1)


def test_rate_learned_by_one_limiter_is_read_by_another(tmp_path: Path) -> None:
    first, second = (FileBuckets(tmp_path / "limits", lambda: 50.0) for _ in range(2))
    first.change(("e",), lambda found: setattr(found[0], "rate", 7.5))
    first.change(("e",), lambda found: found[0].hold(60.0, 50.0, inf))
    assert second.change(("e",), lambda found: (found[0].rate, found[0].held)) == (7.5, 60.0)
    assert second.epoch("e") == first.epoch("e") == 1
    assert second.epoch("other") == 0


def test_each_of_many_endpoints_has_its_own_bucket(tmp_path: Path) -> None:
    first, second = (FileBuckets(tmp_path / "limits", lambda: 50.0) for _ in range(2))
    names = [f"GET /v1/things_{number}" for number in range(150)]
    for number, name in enumerate(names):
        first.change((name,), lambda found, number=number: setattr(found[0], "rate", 1.0 + number))
    assert [second.change((name,), lambda found: found[0].rate) for name in names] == [
        1.0 + number for number in range(150)
    ]


def test_file_with_more_endpoints_than_places_forgets_the_oldest(tmp_path: Path) -> None:
    buckets = FileBuckets(tmp_path / "limits", lambda: 50.0)
    for number in range(2000):
        assert due(buckets, 50.0, f"e{number}") == 50.0
    assert due(buckets, 50.0, "e1999") > 50.0
    assert (tmp_path / "limits").stat().st_size < 100_000


def test_threads_share_one_bucket_file_safely(tmp_path: Path) -> None:
    buckets = FileBuckets(tmp_path / "limits", lambda: 50.0)
    found: list[float] = []

    def take() -> None:
        found.extend(due(buckets, 50.0) for _ in range(200))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == pytest.approx([50 + number / 10 for number in range(800)])


PROCESS = """
import asyncio, sys, time
from pathlib import Path
from engine.connectors.stripe.client import AdaptiveLimiter, Allowance, FileBuckets

async def main():
    buckets = FileBuckets(Path(sys.argv[1]), time.monotonic)
    limiter = AdaptiveLimiter(Allowance(100.0), 8, buckets=buckets, now=time.monotonic, sleep=asyncio.sleep)
    print("ready", flush=True)
    begin = float(sys.stdin.readline())
    async def worker():
        while time.monotonic() < begin + 1.0:
            async with limiter.slot("GET /v1/charges"):
                print(time.monotonic(), flush=True)
    await asyncio.gather(*(worker() for _ in range(8)))

asyncio.run(main())
"""


@pytest.mark.process
def test_processes_on_one_file_keep_one_rate(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PROCESS, str(tmp_path / "limits")]
    both = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path.cwd())
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    begin = time.monotonic()
    timestamps: list[list[float]] = []
    for process in both:
        assert process.stdin is not None
        process.stdin.write(f"{begin}\n")
        process.stdin.flush()
    for process in both:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        timestamps.append([float(line) for line in out.split()])
    taken = len(timestamps[0]) + len(timestamps[1])
    assert taken <= 8 + 100 * (max(map(max, timestamps)) - begin), "together they never took more than one could"
    assert min(map(len, timestamps)) >= 5, "each had its turns"


def test_bucket_file_is_private_and_does_not_contain_the_key(tmp_path: Path) -> None:
    buckets = shared({"TMPDIR": str(tmp_path)})
    due(buckets, time.monotonic())
    file = place(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert KEY.encode() not in file.read_bytes()
    assert KEY[8:] not in str(file)
    assert file.stat().st_size < 100_000


def test_buckets_are_shared_by_key(tmp_path: Path) -> None:
    environment = {"TMPDIR": str(tmp_path)}
    first = shared(environment)
    timestamp = time.monotonic()
    assert due(first, timestamp, rate=0.01) == timestamp
    assert due(shared(environment), timestamp, rate=0.01) > timestamp + 50, "the same key"
    assert due(shared(environment, key="sk_test_other"), timestamp, rate=0.01) == timestamp
    assert due(shared(environment, url="http://127.0.0.1:1"), timestamp, rate=0.01) == timestamp, "another server"
    assert isinstance(shared(environment, secret="sandbox"), MemoryBuckets), "a key that everybody has"


def test_buckets_without_a_writable_folder_are_shared_in_memory(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    environment = dict.fromkeys(("TMPDIR", "XDG_RUNTIME_DIR", "XDG_CACHE_HOME"), str(tmp_path / "file"))
    first = shared(environment)
    assert isinstance(first, MemoryBuckets)
    assert due(first, 5.0) == 5.0
    assert due(shared(environment), 5.0) > 5.0
    assert due(shared(environment, key="sk_test_other"), 5.0) == 5.0


def test_bucket_file_moves_to_the_next_folder_if_the_first_is_unwritable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "cache").mkdir()
    buckets = shared({"TMPDIR": str(tmp_path / "file"), "HOME": "/", "XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert isinstance(buckets, FileBuckets)
    assert place(tmp_path / "cache").parent == tmp_path / "cache" / "weir"


def test_bucket_file_that_is_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("rows")
    (tmp_path / "limits").symlink_to(target)
    with pytest.raises(OSError):
        FileBuckets(tmp_path / "limits", lambda: 1.0)
    assert target.read_text() == "rows"


def test_unused_bucket_files_are_deleted(tmp_path: Path) -> None:
    due(shared({"TMPDIR": str(tmp_path)}), time.monotonic())
    old = place(tmp_path)
    stale = old.with_name("limits-0123")
    old.rename(stale)
    os.utime(stale, (1, 1))
    shared({"TMPDIR": str(tmp_path)})
    assert not stale.exists()
    assert place(tmp_path).name == old.name


@pytest.mark.parametrize("content", [b"", b"weir limits 0\n" + b"x" * 100, b"\xff" * 70_000, b"weir limits 1\n\0\0"])
def test_bucket_file_with_foreign_content_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "limits").write_bytes(content)
    buckets = FileBuckets(tmp_path / "limits", lambda: 50.0)
    assert due(buckets, 50.0) == 50.0
    assert due(FileBuckets(tmp_path / "limits", lambda: 50.0), 50.0) > 50.0


def test_torn_writes_to_the_bucket_file_are_survived(tmp_path: Path) -> None:
    chance = random.Random(3)
    path = tmp_path / "limits"
    buckets = FileBuckets(path, lambda: 1000.0)
    for _ in range(300):
        due(buckets, 1000.0)
        written = path.read_bytes()
        begin = chance.randrange(16, len(written) - 8)
        busy = [at for at in range(16, len(written), 128) if any(written[at : at + 8])]
        begin = chance.choice(busy) + chance.randrange(0, 112) if busy else begin
        with path.open("r+b") as file:
            file.seek(begin)
            file.write(chance.randbytes(8))
        assert 1000.0 <= due(buckets, 1000.0) <= 1000.0 + 1000.0
        assert buckets.epoch("all") is not None


@pytest.mark.parametrize("content", [b"", b"weir"])
def test_bucket_file_truncated_during_use_counts_as_unknown(tmp_path: Path, content: bytes) -> None:
    buckets = FileBuckets(tmp_path / "limits", lambda: 50.0)
    due(buckets, 50.0, rate=0.01)
    (tmp_path / "limits").write_bytes(content)
    assert due(buckets, 50.0, rate=0.01) == 50.0
    assert due(buckets, 50.0, rate=0.01) > 50.0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate", nan),
        ("rate", -1.0),
        ("next", inf),
        ("held", 9e9),
        ("room", 0.0),
        ("rejected", 1e6),
        ("answers", -5.0),
        ("gain", 9.0),
        ("barren", -1.0),
    ],
)
def test_impossible_values_in_a_bucket_are_reset(tmp_path: Path, field: str, value: float) -> None:
    buckets = FileBuckets(tmp_path / "limits", lambda: 50.0)
    buckets.change(("all",), lambda found: setattr(found[0], field, value))
    assert due(buckets, 50.0) == 50.0


@pytest.mark.parametrize("later", [5.0, 50.0 + 3601.0])
def test_buckets_are_reset_after_a_restart_or_a_long_time(tmp_path: Path, later: float) -> None:
    FileBuckets(tmp_path / "limits", lambda: 50.0).change(("all",), lambda found: setattr(found[0], "rate", 0.6))
    assert FileBuckets(tmp_path / "limits", lambda: later).change(("all",), lambda found: found[0].rate) == inf


def test_stopped_process_with_the_lock_does_not_block_others(tmp_path: Path) -> None:
    buckets = FileBuckets(tmp_path / "limits", time.monotonic)
    holder = os.open(tmp_path / "limits", os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    begin = time.monotonic()
    timestamp = begin
    assert due(buckets, timestamp) == timestamp
    assert due(buckets, timestamp) > timestamp, "it continues with its own buckets"
    assert buckets.epoch("all") == 0
    other = FileBuckets(tmp_path / "limits", time.monotonic)
    assert due(other, timestamp) == timestamp
    os.close(holder)


def test_limiter_closes_its_bucket_file(tmp_path: Path) -> None:
    buckets = FileBuckets(tmp_path / "limits", time.monotonic)
    AdaptiveLimiter(Allowance(), 1, buckets=buckets, now=time.monotonic, sleep=asyncio.sleep).close()
    with pytest.raises(ValueError):
        due(buckets, time.monotonic())
    buckets.close()


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/v1/charges", "GET /v1/charges"),
        ("/v1/charges/ch_1", "GET /v1/charges/*"),
        ("/v1/invoices/in_1/lines", "GET /v1/invoices/*/lines"),
        ("/v1/invoices/in_2/lines", "GET /v1/invoices/*/lines"),
        ("/v1/coupons/GOLD", "GET /v1/coupons/*"),
        ("/v1/customers/our-own-id/balance_transactions", "GET /v1/customers/*/balance_transactions"),
        ("/v1/checkout/sessions/cs_test_1/line_items", "GET /v1/checkout/sessions/*/line_items"),
        ("/v1/tax/registrations", "GET /v1/tax/registrations"),
        ("/v1/customers/search", "search"),
        ("/v1/invoices/search", "search"),
        ("/v1/account", "GET /v1/account"),
    ],
)
def test_endpoint_name_replaces_ids_in_the_path(path: str, endpoint: str) -> None:
    assert endpoint_of("GET", path) == endpoint
    if endpoint != "search":
        assert endpoint_of("POST", path) == endpoint.replace("GET", "POST")
