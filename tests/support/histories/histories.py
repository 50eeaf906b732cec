"""A shop, its mirror, and the possible steps of their history: each rule is a step."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from engine.testing.dying_staging import Crash, Killed
from tests.support.histories.themes import CLOCKS, FAULT, HOOK, HOUR, LISTS, LONG, NUMBERS, SHORT, SLICES, THEMES, Theme
from tests.support.histories.watch import Watch
from tests.support.mirror.business import Business
from tests.support.mirror.mirrored import Mirrored, permissions_for
from tests.support.mirror.shop import ServedShops

KEY = "sk_test_weir_sandbox"
RESTRICTED = "rk_test_that_reads_less"
DEED = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS)
"""Deed, account, object, variant, and delay of its events."""
MANY_DEEDS = st.lists(DEED, min_size=1, max_size=6)
SIZES = st.sampled_from(SLICES)
CRASH = st.builds(Crash, st.integers(0, 4), st.booleans())
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
"""The folder of mirrors, if it exists: on a disk, half of a history would be waiting for commits."""


class Histories(RuleBasedStateMachine):
    """A shop, its mirror, and the steps of their history."""

    served: ClassVar[ServedShops]

    @initialize(theme=THEMES)
    def open(self, theme: Theme) -> None:
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY))
        self.theme = theme
        self.shop = self.served.open(event_api_version=theme.version)
        names = tuple(self.shop.connect_account() for _ in range(theme.accounts))
        self.mirrored = Mirrored(
            self.folder, self.shop, theme.tables, accounts=names or None, skew=theme.skew, concurrency=theme.workers
        )
        accounts_read: tuple[str | None, ...] = names or (None,)
        self.businesses = [Business(self.shop, name) for name in accounts_read]
        for business in self.businesses:
            business.begin()
        self.watch = Watch(self.shop, self.mirrored, accounts_read)
        self.refused: tuple[str, ...] = ()
        if theme.grown:
            self._begin_to_read(names)
            self._wait(HOUR)

    def _begin_to_read(self, names: tuple[str, ...]) -> None:
        """Of several accounts, the first one has a mirror before the others."""
        if names:
            self.mirrored.accounts = names[:1]
            assert self.mirrored.sync().status == "succeeded"
            self.mirrored.accounts = names
        self._sync_and_look()

    def _business(self, which: int) -> Business:
        return self.businesses[which % len(self.businesses)]

    def _do(self, deeds: list[tuple[int, int, int, int, int]]) -> None:
        theme = self.theme
        self._wait(theme.lull)
        for deed, which, who, how, late in deeds:
            self._business(which).do(
                theme.deeds[deed % len(theme.deeds)], who, how, theme.lates[late % len(theme.lates)]
            )
            self.watch.note()

    def _wait(self, seconds: int) -> None:
        self.shop.advance(seconds)
        self.watch.note()

    @rule(deeds=MANY_DEEDS)
    def trade(self, deeds: list[tuple[int, int, int, int, int]]) -> None:
        self._do(deeds)

    @rule(
        deed=NUMBERS,
        which=NUMBERS,
        who=NUMBERS,
        lates=st.lists(NUMBERS, min_size=2, max_size=4),
        pause=st.sampled_from(SHORT),
    )
    def change_repeatedly(self, deed: int, which: int, who: int, lates: list[int], pause: int) -> None:
        """Several changes of one object, whose events may become visible in another order."""
        theme = self.theme
        self._wait(theme.lull)
        for how, late in enumerate(lates):
            name = theme.updates[deed % len(theme.updates)]
            self._business(which).do(name, who, how + deed, theme.lates[late % len(theme.lates)])
            self.shop.advance(min(pause, 1))
        self.watch.note()
        self._wait(pause)
        self._sync_and_look()

    @rule(which=NUMBERS, how=NUMBERS)
    def grow(self, which: int, how: int) -> None:
        self._business(which).do("create_many_customers", how, 0)
        self.watch.note()

    @rule(seconds=st.sampled_from(LONG))
    def wait(self, seconds: int) -> None:
        self._wait(seconds)

    @rule(ahead=st.sampled_from(CLOCKS))
    def set_the_clock(self, ahead: int) -> None:
        """Set this machine's clock wrong by this many seconds from now on."""
        self.mirrored.skew = ahead
        self.watch.note_skew()

    @rule(place=NUMBERS, deeds=MANY_DEEDS, pause=st.sampled_from(SHORT), back=st.booleans())
    def lose_permission(self, place: int, deeds: list[tuple[int, int, int, int, int]], pause: int, back: bool) -> None:
        """Changes happen while the key cannot read a table; possibly only for a short time."""
        tables = (*self.theme.tables, "events")
        kept = permissions_for(tables) - permissions_for([tables[place % len(tables)]])
        self.refused = tuple(name for name in self.theme.tables if not permissions_for([name]) <= kept)
        self.shop.allow(RESTRICTED, kept)
        self.mirrored.use_key(RESTRICTED)
        self._do(deeds)
        self._wait(pause)
        self._sync_and_look()
        if back:
            self.regain_permission()
            self._sync_and_look()

    @property
    def restricted(self) -> bool:
        """Whether the key cannot read all tables."""
        return self.mirrored.secret[0] == "file"

    @precondition(lambda self: self.restricted)
    @rule()
    def regain_permission(self) -> None:
        self.refused = ()
        self.mirrored.use_key(KEY)

    def _sync_and_look(self, size: int | None = None, leave_out: int = 1) -> None:
        """An undisturbed run: afterwards the mirror is right in all tables that the run and the key can read."""
        tables = self.mirrored.tables
        read = tables if leave_out % 3 else tables[leave_out % len(tables) :]
        done = self.mirrored.sync(max_slice_bytes=size, tables=read)
        failed = {outcome.id.partition(":")[2] for outcome in done.outcomes if outcome.status != "succeeded"}
        assert failed <= set(self.refused), [outcome.message for outcome in done.outcomes if outcome.message]
        self.watch.demand_truth(unread=failed | (set(tables) - set(read)))

    @rule(size=SIZES, leave_out=NUMBERS)
    def sync(self, size: int | None, leave_out: int) -> None:
        self._sync_and_look(size, leave_out)

    @rule(deeds=MANY_DEEDS, pause=st.sampled_from(SHORT), size=SIZES, leave_out=NUMBERS)
    def live_on(
        self, deeds: list[tuple[int, int, int, int, int]], pause: int, size: int | None, leave_out: int
    ) -> None:
        """The usual step: some changes and a run."""
        self._do(deeds)
        self._wait(pause)
        self._sync_and_look(size, leave_out)

    @rule(
        deeds=MANY_DEEDS, pause=st.sampled_from(SHORT), faults=st.lists(FAULT, max_size=2),
        hooks=st.lists(HOOK, max_size=3), size=SIZES, crash=st.none() | CRASH,
        patience=st.none() | st.none() | st.integers(1, 60), full=st.booleans(),
    )  # fmt: skip
    def sync_in_trouble(
        self, deeds: list[tuple[int, int, int, int, int]], pause: int, faults: list[Any], hooks: list[Any],
        size: int | None, crash: Crash | None, patience: int | None, full: bool,
    ) -> None:  # fmt: skip
        """However the run ends, no existing object has a tombstone, and the next run repairs the mirror."""
        self._do(deeds)
        self._wait(pause)
        for fault in faults:
            self.shop.fault(**self.theme.fault(fault))
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
        self._wait(400 if pause else 0)
        self._sync_and_look()

    def _hook(self, kind: str, page: int, who: int, how: int) -> None:
        """A change right before the response to a page; possibly of the object that the page starts after."""
        account = self._business(who).account
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
                self.end()
        finally:
            self.leave()

    def leave(self) -> None:
        """Delete the folder of the history."""
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder, ignore_errors=True)

    def end(self) -> None:
        """Synchronize until no event is pending; then read all again and assert that every field is right."""
        self.shop.calm()
        self.refused = ()
        self.mirrored.use_key(KEY)
        self._sync_and_look()
        for seconds in (300, 2 * HOUR + int(self.watch.spread)):
            if self.watch.anything_late():
                self._wait(seconds)
                self._sync_and_look()
        assert self.mirrored.sync(full=True).status == "succeeded"
        self.watch.forget_silent_edits()
        self.watch.demand_truth(whole=True)
