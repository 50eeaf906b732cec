"""Everything that a sandbox holds: accounts with their stores, the clock, the rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from engine.connectors.stripe.catalogue import Catalogue

from .flows.due import pass_time, settle_due
from .objects import Mutation, Renderer, Shapes, token
from .options import SandboxOptions
from .seeds import seed_account, seed_business
from .state import Clock, Obj, Store

NEVER = 1 << 62
CONNECTED_CUSTOMERS = 12
"""How many customers each connected account has."""


@dataclass(frozen=True, slots=True)
class RestoredState:
    """What a world that was kept goes on from: its account, how often it was written, and its stores.

    Without `stores` it is the world that the seed makes.
    """

    account: str
    commits: int = 0
    stores: Mapping[tuple[str, bool], Store] | None = None


class SandboxWorld:
    """The stores of all accounts, in test and in live mode, and the time that they share.

    A connected account's business is made when it is first looked at.
    """

    def __init__(
        self, options: SandboxOptions, catalogue: Catalogue, clock: Clock, past: RestoredState | None = None
    ) -> None:
        self.options = options
        self.catalogue = catalogue
        self.clock = clock
        self.shapes = Shapes(catalogue)
        self.renderer = Renderer(catalogue)
        self._stores: dict[tuple[str, bool], Store] = {}
        self._accounts: dict[str, Obj] = {}
        self._randoms: dict[tuple[str, bool], Random] = {}
        self._past = past
        self._recording = False
        self._settled = 0
        self._requests = self._source("requests")
        self.platform = self._found()
        if past is not None and past.stores is not None:
            self._go_on(past.stores)

    def _found(self) -> str:
        """Make the platform account, and what is not kept: its business, and the connected accounts."""
        source = Random(f"{self.options.seed}/accounts")  # noqa: S311 - ids that can be repeated, not secrets
        platform = f"acct_{token(source, 16)}"
        if self._past is not None:
            platform = self._past.account
            source = Random(f"{self.options.seed}/accounts/{platform}")  # noqa: S311
        store = self._open(platform, livemode=False)
        mutation = Mutation(self, store, self.options.now, source)
        self._accounts[platform] = seed_account(mutation, platform, "Larkspur Analytics", "US")
        if self._past is not None and self._past.stores is not None:
            return platform
        for index in range(self.options.accounts):
            identifier = f"acct_{token(source, 16)}"
            connected = seed_account(mutation, identifier, f"Larkspur Partner {index + 1}", "US")
            mutation.add("account", connected)
            self._accounts[identifier] = connected
        if self.options.customer_count:
            seed_business(mutation, self.options.customer_count, self.options.seed)
        return platform

    def _go_on(self, stores: Mapping[tuple[str, bool], Store]) -> None:
        """Put the kept stores in place, and make their connected accounts known."""
        for (account, livemode), store in stores.items():
            self._stores[account, livemode] = store
            self._randoms[account, livemode] = self._source(f"{account}/{livemode}")
        for row in self._stores[self.platform, False].table("account").rows.values():
            self._accounts[row.id] = row.obj

    def _source(self, name: str) -> Random:
        """The randomness for what is new; a kept world never draws the same again."""
        again = f"/{self._past.account}/{self._past.commits}" if self._past is not None else ""
        return Random(f"{self.options.seed}/{name}{again}")  # noqa: S311 - ids that can be repeated, not secrets

    def _open(self, account: str, *, livemode: bool) -> Store:
        store = self._stores[account, livemode] = Store(account, livemode=livemode)
        if self._recording:
            store.record()
        self._randoms[account, livemode] = self._source(f"{account}/{livemode}")
        return store

    def record(self) -> None:
        """Let all stores keep, from now on, the ids of what changes; those of a store that is yet to be made too."""
        self._recording = True
        for store in self._stores.values():
            store.record()

    def store(self, account: str, *, livemode: bool = False) -> Store:
        """The objects of an account; the account must be known."""
        store = self._stores.get((account, livemode))
        if store is None:
            store = self._open(account, livemode=livemode)
            if not livemode and self._accounts[account]["metadata"].get("seeded"):
                mutation = Mutation(self, store, self.options.now, self._randoms[account, livemode])
                seed_business(mutation, CONNECTED_CUSTOMERS, f"{self.options.seed}/{account}")
        return store

    def stores(self) -> dict[tuple[str, bool], Store]:
        """The stores that exist by now, by account and live mode."""
        return dict(self._stores)

    def knows(self, account: str) -> bool:
        """Whether there is such an account."""
        return account in self._accounts

    def account_of(self, store: Store) -> Obj:
        """The account object of a store."""
        return self._accounts[store.account]

    def register(self, account: Obj) -> None:
        """Make a connected account reachable, or remember its new state."""
        self._accounts[account["id"]] = account

    def forget(self, account: str) -> None:
        """Close a deleted connected account."""
        self._accounts.pop(account, None)

    def mutation(
        self, store: Store, request: str | None = None, key: str | None = None, *, silent: bool = False
    ) -> Mutation:
        """Writes at this moment, in the name of a request; `silent` ones write no events."""
        source = self._randoms[store.account, store.livemode]
        return Mutation(self, store, self.clock.now(), source, request, key, silent=silent)

    def request_id(self) -> str:
        """The id of a new request."""
        return f"req_{token(self._requests, 14)}"

    def in_other_mode(self, store: Store, resource: str, identifier: str) -> bool | None:
        """The mode (live: True) in which an object that is not here does exist; None if in neither."""
        other = self._stores.get((store.account, not store.livemode))
        found = other is not None and other.find(resource, identifier) is not None
        return (not store.livemode) if found else None

    def pass_time(self) -> None:
        """Let happen what is due by now."""
        now = self.clock.now()
        if now != self._settled:
            self._settled = now
            for store in list(self._stores.values()):
                self._catch_up(store, now)

    def _catch_up(self, store: Store, now: int) -> None:
        mutation = self.mutation(store)
        if now >= store.next_due:
            following = pass_time(mutation, now)
            store.next_due = following if following is not None else NEVER
        else:
            settle_due(mutation, now)

    def balance(self, store: Store) -> dict[str, Any]:
        """What `/v1/balance` answers: the sum of what is available and of what is pending, by currency."""
        sums: dict[str, dict[str, int]] = {"available": {}, "pending": {}}
        for _, _, row in store.table("balance_transaction").order:
            amounts = sums[row.obj["status"]]
            amounts[row.obj["currency"]] = amounts.get(row.obj["currency"], 0) + row.obj["net"]
        currencies = sorted({*sums["available"], *sums["pending"]}) or [self.account_of(store)["default_currency"]]
        parts = {
            name: [
                {"amount": amounts.get(each, 0), "currency": each, "source_types": {"card": amounts.get(each, 0)}}
                for each in currencies
            ]
            for name, amounts in sums.items()
        }
        return {"object": "balance", **parts, "livemode": store.livemode}
