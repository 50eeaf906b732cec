"""After any history and any crash, a mirror that is brought up to date holds what the shop holds."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from engine.web.sandbox.faults import REASONS
from tests.effort import examples
from tests.mirror.business import DAY, UPDATES, USUAL, Business
from tests.mirror.mirrored import Crash, Killed, Mirrored, permissions_for
from tests.mirror.shop import ServedShops

from .watch import GROUPS, TABLES, Watch

KEY = "sk_test_weir_sandbox"
RESTRICTED = "rk_test_that_reads_less"
NUMBERS = st.integers(0, 40)
LATE = st.sampled_from((0, 0, 3, 120, 290))
DEED = st.tuples(st.sampled_from(USUAL + UPDATES), NUMBERS, NUMBERS, NUMBERS, LATE)
FAULT = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(("error", "rate_limit", "lock", "reset", "truncated", "malformed")),
        "path": st.sampled_from(
            ("*", "/v1/events", "/v1/customers", "/v1/invoices/*", "/v1/coupons/*", "/v1/charges*")
        ),
        "skip": st.integers(0, 3),
        "times": st.integers(1, 8),
        "status": st.sampled_from((500, 502, 503)),
        "reason": st.sampled_from(REASONS),
    }
)
LISTS = {
    "customer": "/v1/customers", "charge": "/v1/charges", "invoice": "/v1/invoices", "coupon": "/v1/coupons",
    "price": "/v1/prices", "payment_intent": "/v1/payment_intents",
}  # fmt: skip
SLICES = st.sampled_from((None, None, 3_000, 30_000))


class Histories(RuleBasedStateMachine):
    """A shop, its mirror, and what happens to them."""

    served: ClassVar[ServedShops]

    @initialize(
        left_out=st.sets(st.sampled_from(GROUPS), max_size=3),
        accounts=st.sampled_from((0, 0, 1, 2)),
        skew=st.sampled_from((0, 0, 45, -45)),
        workers=st.integers(1, 6),
    )
    def open(self, left_out: set[tuple[str, ...]], accounts: int, skew: int, workers: int) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.shop = self.served.open()
        names = tuple(self.shop.connect_account() for _ in range(accounts))
        tables = tuple(sorted(table for group in GROUPS if group not in left_out for table in group))
        self.mirrored = Mirrored(self.folder, self.shop, tables, accounts=names or None, skew=skew, concurrency=workers)
        accounts_read: tuple[str | None, ...] = names or (None,)
        self.businesses = [Business(self.shop, name) for name in accounts_read]
        for business in self.businesses:
            business.begin()
        self.watch = Watch(self.shop, self.mirrored, accounts_read)
        self.refused: tuple[str, ...] = ()

    @rule(deeds=st.lists(DEED, min_size=1, max_size=8))
    def trade(self, deeds: list[tuple[str, int, int, int, int]]) -> None:
        for deed, which, who, how, late in deeds:
            self.businesses[which % len(self.businesses)].do(deed, who, how, late)
            self.watch.note()

    @rule(
        deed=st.sampled_from(UPDATES), which=NUMBERS, who=NUMBERS, lates=st.lists(LATE, min_size=2, max_size=4),
        pause=st.integers(0, 1),
    )  # fmt: skip
    def change_again_and_again(self, deed: str, which: int, who: int, lates: list[int], pause: int) -> None:
        """Several changes of one object, whose events may be seen in another order."""
        for how, late in enumerate(lates):
            self.businesses[which % len(self.businesses)].do(deed, who, how, late)
            self.shop.advance(pause)
        self.watch.note()

    @rule(which=NUMBERS, how=NUMBERS)
    def grow(self, which: int, how: int) -> None:
        self.businesses[which % len(self.businesses)].do("create_many_customers", how, 0)

    @rule(seconds=st.sampled_from((1, 60, 300, 3_600, DAY, 3 * DAY, 8 * DAY, 40 * DAY)))
    def wait(self, seconds: int) -> None:
        self.shop.advance(seconds)
        self.watch.note()

    @rule(table=st.sampled_from((*TABLES, "events")))
    def lose_permission(self, table: str) -> None:
        kept = permissions_for([*TABLES, "events"]) - permissions_for([table])
        self.refused = tuple(name for name in TABLES if not permissions_for([name]) <= kept)
        self.shop.allow(RESTRICTED, kept)
        self.mirrored.use_key(RESTRICTED)

    @precondition(lambda self: self.refused)
    @rule()
    def regain_permission(self) -> None:
        self.refused = ()
        self.mirrored.use_key(KEY)

    @rule(size=SLICES, leave_out=NUMBERS)
    def sync(self, size: int | None, leave_out: int) -> None:
        """Nothing disturbs this run: afterwards the mirror is right, as far as it and the key reach."""
        tables = self.mirrored.tables
        read = tables if leave_out % 3 else tables[leave_out % len(tables) :]
        done = self.mirrored.sync(max_slice_bytes=size, tables=read)
        failed = {outcome.id.partition(":")[2] for outcome in done.outcomes if outcome.status != "succeeded"}
        assert failed <= set(self.refused), [outcome.message for outcome in done.outcomes if outcome.message]
        self.watch.demand_truth(unread=failed | (set(tables) - set(read)))

    @rule(
        faults=st.lists(FAULT, max_size=2),
        hooks=st.lists(st.tuples(st.sampled_from(sorted(LISTS)), st.integers(1, 2), NUMBERS, NUMBERS), max_size=3),
        size=SLICES,
        crash=st.none() | st.builds(Crash, st.integers(0, 4), st.booleans()),
        patience=st.none() | st.integers(1, 60),
        full=st.booleans(),
    )
    def sync_in_trouble(
        self, faults: list[Any], hooks: list[Any], size: int | None, crash: Crash | None, patience: int | None,
        full: bool,
    ) -> None:  # fmt: skip
        """However it ends, nothing is called gone that is there."""
        for fault in faults:
            self.shop.fault(**fault)
        for kind, page, who, how in hooks:
            self._hook(kind, page, who, how)
        before = self.watch.present()
        left = iter(range(patience)) if patience is not None else None
        try:
            self.mirrored.sync(
                full=full,
                max_slice_bytes=size,
                crash=crash,
                cancelled=lambda: left is not None and next(left, None) is None,
            )
        except Killed:
            assert crash is not None
        self.shop.calm()
        self.watch.note()
        self.watch.demand_nothing_lost(before)

    def _hook(self, kind: str, page: int, who: int, how: int) -> None:
        """Something happens right before a page is answered; maybe to the very object that it would start after."""
        account = self.businesses[who % len(self.businesses)].account
        rows = self.shop.listed(LISTS[kind], account)
        if not rows:
            return
        target = f"{LISTS[kind]}/{rows[-1 if how % 3 == 0 else who % len(rows)]['id']}"
        hook: dict[str, Any] = {"path": LISTS[kind], "page": page, "advance": how % 2}
        match how % 4:
            case 0 | 1 if kind in ("customer", "coupon", "invoice"):
                self.shop.hook(**hook, method="DELETE", target=target)
            case 2 if kind == "customer":
                self.shop.hook(**hook, target="/v1/customers", params={"name": "in between"})
            case 2 if kind == "price":
                self.shop.hook(**hook, target=target, params={"active": "false" if how % 8 < 4 else "true"})
            case _:
                self.shop.hook(**hook, target=target, params={"metadata[hooked]": str(how)})

    def teardown(self) -> None:
        try:
            if hasattr(self, "watch"):
                self._end()
        finally:
            if hasattr(self, "folder"):
                shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self) -> None:
        """All is read again, and is right to the last field; then the events that were still on their way arrive."""
        self.shop.calm()
        self.mirrored.use_key(KEY)
        assert self.mirrored.sync(full=True).status == "succeeded"
        self.watch.forget_silent_edits()
        self.watch.demand_truth(whole=True)
        self.shop.advance(300)
        self.watch.note()
        assert self.mirrored.sync().status == "succeeded"
        self.watch.demand_truth()


@pytest.fixture(scope="module")
def served() -> Iterator[ServedShops]:
    shops = ServedShops()
    yield shops
    shops.close()


def test_a_mirror_holds_what_the_shop_holds(served: ServedShops) -> None:
    Histories.served = served
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    effort = settings(max_examples=examples(10), stateful_step_count=14, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(Histories, settings=effort)
