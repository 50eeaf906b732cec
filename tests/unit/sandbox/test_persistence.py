"""A persistent sandbox resumes objects, events, idempotency keys, clock and account."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.sandbox.options import ANCHOR, DAY, SandboxOptions
from engine.sandbox.persistence import Persistence
from engine.sandbox.reading.truth import ground_truth
from engine.sandbox.serving.api import Api
from engine.sandbox.serving.sandbox import Sandbox
from engine.sandbox.state.state_file import StateError, StateFile
from tests.support.sandbox.client import Client

LISTS = ("customers", "subscriptions", "invoices", "charges", "events", "payouts", "balance_transactions", "accounts")


class PersistentClient(Client):
    """A client of a persistent sandbox; `begin` stops it and starts the next one on the same file."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.wall = 1_000_000.0
        self.path = folder / "world.db"
        self._chosen = replace(SandboxOptions(customers=40), **options)
        self._file: StateFile | None = None
        self.begin()

    def begin(self, **options: Any) -> None:
        if self._file is not None:
            self._file.close()
        self.elapsed = 0.0
        self._chosen = replace(self._chosen, **options)
        self._file = StateFile(self.path)
        self.sandbox = Sandbox(
            self._chosen, lambda: self.elapsed, Persistence(self._file, self._chosen, lambda: self.wall + self.elapsed)
        )
        self.api = Api(self.sandbox)

    def pass_by(self, seconds: float) -> None:
        """Let the process run for these seconds."""
        self.elapsed += seconds

    def again(self, after: float = 0, **options: Any) -> None:
        """Stop the process and start the next one these seconds later."""
        self.wall += self.elapsed + after
        self.begin(**options)

    def whole(self) -> tuple[dict[str, Any], list[bytes]]:
        """The ground truth and the first page of each list."""
        pages = [self.ask("GET", f"/v1/{name}", [("limit", "100")]).body for name in LISTS]
        return ground_truth(self.sandbox.world, objects=True), pages


@pytest.fixture
def kept(tmp_path: Path) -> PersistentClient:
    return PersistentClient(tmp_path)


def do_business(client: Client) -> dict[str, str]:
    """Write objects of many kinds, including a declined charge. Returns their ids."""
    customer = client.post("/v1/customers", [("name", "Ada"), ("metadata[tier]", "pro")])["id"]
    gone = client.post("/v1/customers", [("name", "Gone")])["id"]
    client.delete(f"/v1/customers/{gone}")
    card = client.post("/v1/payment_methods/pm_card_visa/attach", [("customer", customer)])["id"]
    client.post(f"/v1/customers/{customer}", [("invoice_settings[default_payment_method]", card)])
    price = client.get("/v1/prices", [("active", "true"), ("type", "recurring"), ("currency", "usd")])["data"][0]["id"]
    subscription = client.post("/v1/subscriptions", [("customer", customer), ("items[0][price]", price)])["id"]
    declined = client.ask(
        "POST", "/v1/charges", [("amount", "500"), ("currency", "usd"), ("source", "tok_chargeDeclined")]
    )
    assert declined.status == 402
    charge = client.post("/v1/charges", [("amount", "900"), ("currency", "usd"), ("source", "tok_visa")])["id"]
    refund = client.post("/v1/refunds", [("charge", charge), ("amount", "300")])["id"]
    account = client.post("/v1/accounts", [("type", "standard"), ("country", "DE")])["id"]
    inside = client.post("/v1/customers", [("name", "Inside")], stripe_account=account)["id"]
    return {"customer": customer, "gone": gone, "subscription": subscription, "refund": refund, "account": account,
            "inside": inside}  # fmt: skip


def test_a_restart_restores_every_object_byte_for_byte(kept: PersistentClient) -> None:
    made = do_business(kept)
    before = kept.whole()
    assert made["gone"] in before[0][kept.sandbox.world.platform]["customers"]["deleted"]
    kept.again()
    assert kept.whole() == before
    assert kept.get(f"/v1/customers/{made['inside']}", stripe_account=made["account"])["name"] == "Inside"
    assert kept.ask("GET", f"/v1/customers/{made['gone']}").json["deleted"] is True
    kept.again()
    assert kept.whole() == before


def test_changes_after_a_restart_survive_the_next_restart(kept: PersistentClient) -> None:
    made = do_business(kept)
    kept.again()
    kept.post(f"/v1/customers/{made['customer']}", [("name", "Ada again"), ("metadata[tier]", "")])
    kept.delete(f"/v1/subscriptions/{made['subscription']}")
    before = kept.whole()
    kept.again()
    assert kept.whole() == before
    shown = kept.get(f"/v1/customers/{made['customer']}")
    assert (shown["name"], shown["metadata"]) == ("Ada again", {})
    assert kept.get(f"/v1/subscriptions/{made['subscription']}")["status"] == "canceled"
    assert {"customer.updated", "customer.subscription.deleted"} <= set(kept.events(ANCHOR))


def test_ids_are_unique_across_restarts(kept: PersistentClient) -> None:
    found = []
    for _ in range(5):
        for _ in range(3):
            reply = kept.ask("POST", "/v1/customers", [("name", "N")])
            found += [reply.json["id"], reply.headers["request-id"]]
        kept.again()
    assert len(set(found)) == len(found)
    customers = {each for each in found if each.startswith("cus_")}
    assert customers <= {each["id"] for each in kept.everything("/v1/customers")}


def test_an_idempotency_key_is_valid_for_a_day_across_restarts(kept: PersistentClient) -> None:
    form = [("amount", "500"), ("currency", "usd"), ("source", "tok_visa")]
    first = kept.ask("POST", "/v1/charges", form, idempotency_key="once")
    refused = kept.ask("POST", "/v1/charges", [*form[:2], ("source", "tok_chargeDeclined")], idempotency_key="no")
    kept.again(DAY - 60)
    repeated = kept.ask("POST", "/v1/charges", form, idempotency_key="once")
    assert repeated.body == first.body
    assert repeated.headers["idempotent-replayed"] == "true"
    assert repeated.headers["original-request"] == first.headers["request-id"]
    again = kept.ask("POST", "/v1/charges", [*form[:2], ("source", "tok_chargeDeclined")], idempotency_key="no")
    assert (again.status, again.body) == (402, refused.body)
    other = kept.ask("POST", "/v1/charges", [("amount", "1"), *form[1:]], idempotency_key="once")
    assert other.error["type"] == "idempotency_error"
    kept.again(120)
    fresh = kept.ask("POST", "/v1/charges", form, idempotency_key="once")
    assert fresh.json["id"] != first.json["id"]


@pytest.mark.parametrize("days", [1, 9])
def test_a_restart_days_later_keeps_seeded_objects_and_advances_time(kept: PersistentClient, days: int) -> None:
    paths = ("/v1/customers", "/v1/charges", "/v1/invoices", "/v1/subscriptions", "/v1/events")
    first = {path: {each["id"]: each["created"] for each in kept.everything(path)} for path in paths}
    pending = kept.get("/v1/balance")["pending"]
    kept.again(days * DAY)
    assert kept.now == ANCHOR + days * DAY
    for path, known in first.items():
        found = {each["id"]: each["created"] for each in kept.everything(path)}
        listed = kept.now - 30 * DAY if path == "/v1/events" else 0
        assert {key: created for key, created in known.items() if created > listed}.items() <= found.items(), path
        assert all(created >= ANCHOR for key, created in found.items() if key not in known), path
    assert kept.get("/v1/balance")["pending"] != pending
    assert ("invoice.paid" in kept.events(ANCHOR)) == (days > 1)


def test_due_processes_run_once_across_restarts(kept: PersistentClient) -> None:
    kept.again(40 * DAY)
    before = kept.whole()
    assert len(kept.events(kept.now - 25 * DAY)) > 20
    kept.again()
    assert kept.whole() == before


def test_a_restart_resumes_the_clock_and_never_turns_it_back(kept: PersistentClient) -> None:
    kept.advance(3 * DAY)
    kept.sandbox.save()
    kept.again(5)
    assert kept.now == ANCHOR + 3 * DAY + 5
    kept.pass_by(10)
    kept.post("/v1/customers", [("name", "Late")])
    kept.again(-DAY)  # the machine's clock is turned back
    assert kept.now == ANCHOR + 3 * DAY + 15


def test_a_frozen_clock_does_not_advance_between_restarts(kept: PersistentClient) -> None:
    kept.again(10, frozen=True)
    assert kept.now == ANCHOR + 10
    kept.again(DAY)
    assert kept.now == ANCHOR + 10
    kept.again(frozen=False)
    kept.pass_by(7)
    assert kept.now == ANCHOR + 17


def test_an_unchanged_world_is_not_stored(kept: PersistentClient) -> None:
    for path in ("/v1/customers", "/v1/invoices", "/v1/account"):
        kept.get(path)
    assert kept.path.stat().st_size < 50_000
    account = kept.sandbox.world.platform
    kept.again()
    assert kept.sandbox.world.platform == account
    assert kept.sandbox.world.store(account).find("customer", kept.get("/v1/customers")["data"][0]["id"])


def test_each_world_has_its_own_account_and_the_same_business(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, two = PersistentClient(tmp_path / "a"), PersistentClient(tmp_path / "b")
    assert one.get("/v1/account")["id"] != two.get("/v1/account")["id"]
    assert [each["id"] for each in one.get("/v1/customers")["data"]] == [
        each["id"] for each in two.get("/v1/customers")["data"]
    ]
    assert one.post("/v1/customers")["id"] != two.post("/v1/customers")["id"]


def test_a_reset_discards_the_world_and_its_account(kept: PersistentClient) -> None:
    made = do_business(kept)
    kept.ask("POST", "/v1/customers", [("name", "K")], idempotency_key="k")
    account = kept.sandbox.world.platform
    kept.sandbox.reset()
    fresh = kept.sandbox.world.platform
    assert fresh != account
    kept.again()
    assert kept.sandbox.world.platform == fresh
    assert kept.ask("GET", f"/v1/customers/{made['customer']}").status == 404
    assert "idempotent-replayed" not in kept.ask("POST", "/v1/customers", [("name", "K")], idempotency_key="k").headers


def test_a_seeded_connected_account_is_stored_with_the_first_change(tmp_path: Path) -> None:
    client = PersistentClient(tmp_path, accounts=2)
    account = client.get("/v1/accounts")["data"][0]["id"]
    client.post("/v1/customers", [("name", "X")])
    seen = client.get("/v1/customers", stripe_account=account)["data"]
    client.again()
    assert client.get("/v1/customers", stripe_account=account)["data"] == seen
    assert len(client.get("/v1/accounts")["data"]) == 2


def test_contradicting_options_are_rejected_and_defaults_are_not(kept: PersistentClient) -> None:
    with pytest.raises(StateError, match="began with seed 1, not 2"):
        kept.begin(seed=2)
    kept.begin(seed=1, customers=None)
    assert kept.sandbox.options.customers == 40


def test_a_corrupt_state_file_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(StateError, match="delete its folder"):
        StateFile(path)


FULL = """
import resource, sys
from pathlib import Path
from tests.unit.sandbox.test_persistence import PersistentClient
client = PersistentClient(Path(sys.argv[1]))
client.post("/v1/customers", [("name", "Kept")])
resource.setrlimit(resource.RLIMIT_FSIZE, (client.path.stat().st_size, resource.RLIM_INFINITY))
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
for number in range(5000):
    client.post("/v1/customers", [("name", f"Lost {number}")])
print("all answered")
"""


def test_a_sandbox_that_cannot_store_its_state_exits(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 3, done.stderr
    assert "cannot store its state" in done.stderr
    client = PersistentClient(tmp_path)
    assert "Kept" in {each["name"] for each in client.everything("/v1/customers")}
