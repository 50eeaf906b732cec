"""The world of a sandbox: accounts with their stores, the clock, shapes and rendering."""

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
"""Number of customers of each connected account."""


@dataclass(frozen=True, slots=True)
class RestoredState:
    """The state from which a saved world resumes: account, number of saves, stores.

    Without `stores` the world is the seeded one.
    """

    account: str
    commits: int = 0
    stores: Mapping[tuple[str, bool], Store] | None = None


class SandboxWorld:
    """The stores of all accounts in test and live mode, and their common clock.

    A connected account's business is created on first access.
    """

    def __init__(
        self, options: SandboxOptions, catalogue: Catalogue, clock: Clock, restored: RestoredState | None = None
    ) -> None:
        self.options = options
        self.catalogue = catalogue
        self.clock = clock
        self.shapes = Shapes(catalogue)
        self.renderer = Renderer(catalogue)
        self._stores: dict[tuple[str, bool], Store] = {}
        self._accounts: dict[str, Obj] = {}
        self._randoms: dict[tuple[str, bool], Random] = {}
        self._restored = restored
        self._recording = False
        self._settled = 0
        self._requests = self._source("requests")
        self.platform = self._create_platform()
        if restored is not None and restored.stores is not None:
            self._restore(restored.stores)

    def _create_platform(self) -> str:
        """Create the platform account and, unless restored, its business and the connected accounts."""
        source = Random(f"{self.options.seed}/accounts")  # noqa: S311 - reproducible ids, not secrets
        platform = f"acct_{token(source, 16)}"
        if self._restored is not None:
            platform = self._restored.account
            source = Random(f"{self.options.seed}/accounts/{platform}")  # noqa: S311
        store = self._open(platform, livemode=False)
        mutation = Mutation(self, store, self.options.now, source)
        self._accounts[platform] = seed_account(mutation, platform, "Larkspur Analytics", "US")
        if self._restored is not None and self._restored.stores is not None:
            return platform
        for index in range(self.options.accounts):
            identifier = f"acct_{token(source, 16)}"
            connected = seed_account(mutation, identifier, f"Larkspur Partner {index + 1}", "US")
            mutation.add("account", connected)
            self._accounts[identifier] = connected
        if self.options.customer_count:
            seed_business(mutation, self.options.customer_count, self.options.seed)
        return platform

    def _restore(self, stores: Mapping[tuple[str, bool], Store]) -> None:
        """Use the restored stores and register their connected accounts."""
        for (account, livemode), store in stores.items():
            self._stores[account, livemode] = store
            self._randoms[account, livemode] = self._source(f"{account}/{livemode}")
        for row in self._stores[self.platform, False].table("account").rows.values():
            self._accounts[row.id] = row.obj

    def _source(self, name: str) -> Random:
        """The random source of new objects; a resumed world never repeats earlier values."""
        again = f"/{self._restored.account}/{self._restored.commits}" if self._restored is not None else ""
        return Random(f"{self.options.seed}/{name}{again}")  # noqa: S311 - reproducible ids, not secrets

    def _open(self, account: str, *, livemode: bool) -> Store:
        store = self._stores[account, livemode] = Store(account, livemode=livemode)
        if self._recording:
            store.record()
        self._randoms[account, livemode] = self._source(f"{account}/{livemode}")
        return store

    def record(self) -> None:
        """Record the ids of changed objects from now on, in existing and future stores."""
        self._recording = True
        for store in self._stores.values():
            store.record()

    def store(self, account: str, *, livemode: bool = False) -> Store:
        """The store of a known account."""
        store = self._stores.get((account, livemode))
        if store is None:
            store = self._open(account, livemode=livemode)
            if not livemode and self._accounts[account]["metadata"].get("seeded"):
                mutation = Mutation(self, store, self.options.now, self._randoms[account, livemode])
                seed_business(mutation, CONNECTED_CUSTOMERS, f"{self.options.seed}/{account}")
        return store

    def stores(self) -> dict[tuple[str, bool], Store]:
        """The existing stores by account and live mode."""
        return dict(self._stores)

    def knows(self, account: str) -> bool:
        """Whether the account exists."""
        return account in self._accounts

    def account_of(self, store: Store) -> Obj:
        """The account object of a store."""
        return self._accounts[store.account]

    def register(self, account: Obj) -> None:
        """Add a connected account, or update its object."""
        self._accounts[account["id"]] = account

    def forget(self, account: str) -> None:
        """Remove a deleted connected account."""
        self._accounts.pop(account, None)

    def mutation(
        self, store: Store, request: str | None = None, key: str | None = None, *, silent: bool = False
    ) -> Mutation:
        """Start the writes of a request at the current time. `silent` writes emit no events."""
        source = self._randoms[store.account, store.livemode]
        return Mutation(self, store, self.clock.now(), source, request, key, silent=silent)

    def request_id(self) -> str:
        """A new request id."""
        return f"req_{token(self._requests, 14)}"

    def in_other_mode(self, store: Store, resource: str, identifier: str) -> bool | None:
        """The other mode (live: True) if the object exists there, else None."""
        other = self._stores.get((store.account, not store.livemode))
        found = other is not None and other.find(resource, identifier) is not None
        return (not store.livemode) if found else None

    def pass_time(self) -> None:
        """Run everything due at the current time."""
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
        """The response of `/v1/balance`: available and pending amounts by currency."""
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
