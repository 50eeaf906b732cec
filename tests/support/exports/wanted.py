"""The rows of the Schema that a test wants, and assertions that shop and outcomes match them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.run import OpState
from tests.support.exports.exported import Exported

Rows = list[tuple[Any, ...]]
GOOD = ("done", "unchanged")


@dataclass
class Wanted:
    """The wanted tables. `spared` counts by key how often others took an object from its row, so that a new one is
    created; `altered` counts by key how often a price was changed."""

    people: Rows = field(default_factory=list)
    items: Rows = field(default_factory=list)
    endings: Rows = field(default_factory=list)
    credits: Rows = field(default_factory=list)
    spared: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)

    def fill(self, exported: Exported) -> None:
        """Write the rows to the Schema."""
        exported.fill({name: getattr(self, name) for name in ("people", "items", "endings", "credits")})

    def put(self, table: str, row: tuple[Any, ...], *, double: bool = False) -> None:
        """Put a row in place of those with its key, or beside them."""
        rows: Rows = getattr(self, table)
        if not double:
            rows[:] = [each for each in rows if each[0] != row[0]]
        rows.append(row)

    def drop(self, table: str, key: Any) -> None:
        """Remove the rows with this key."""
        rows: Rows = getattr(self, table)
        rows[:] = [each for each in rows if each[0] != key]

    def only(self, table: str) -> dict[str, tuple[Any, ...]]:
        """The rows that can be written, by key: those with a unique key."""
        rows: Rows = getattr(self, table)
        counts = Counter(row[0] for row in rows)
        return {row[0]: row for row in rows if row[0] is not None and counts[row[0]] == 1}

    def demand(self, exported: Exported, quarantined: Iterable[str]) -> None:
        """Assert that the shop matches all rows exactly once, and that the outcomes do, too."""
        held = {json.loads(key)[0] for key in quarantined}
        self._demand_people(exported)
        self._demand_products(exported)
        self._demand_prices(exported)
        self._demand_endings(exported)
        self._demand_credits(exported, held)

    def _demand_people(self, exported: Exported) -> None:
        there: dict[str, list[Any]] = {}
        for row in exported.shop.rows("customer"):
            there.setdefault(row.obj["metadata"].get("code", ""), []).append(row.obj)
        good = self.only("people")
        for code, (_, name, tier) in good.items():
            found = there.get(code, [])
            assert len(found) == 1, f"customer {code} is there {len(found)} times"
            stated = (found[0]["name"], found[0]["metadata"].get("tier"))
            assert stated == (name, tier), f"customer {code} is {stated}, not {(name, tier)}"
        present = {row[0] for row in self.people}
        assert set(there) - {"", "foreign"} <= present, f"customers without rows: {set(there) - present}"
        assert len(there.get("foreign", [])) == 1, "somebody else's customer was touched"
        _demand_statuses(exported, "people", self.people, {code: there[code][0]["id"] for code in good})
        made = _counted(exported, "customer.created", "code")
        for code, number in made.items():
            most = 1 + self.spared[code] + _counted(exported, "customer.deleted", "code")[code]
            assert number <= most, f"customer {code} was made {number} times, for {most - 1} that were gone"

    def _demand_products(self, exported: Exported) -> None:
        wanted: dict[str, str] = {}
        for sku, name, *_ in self.items:
            if sku is not None:
                wanted[sku] = min(name, wanted.get(sku, name))
        there = {row.id: row.obj for row in exported.shop.rows("product")}
        for sku, name in wanted.items():
            stated = (there[sku]["name"], there[sku]["active"]) if sku in there else None
            assert stated == (name, True), f"product {sku} is {stated}"
        left = [sku for sku, shown in there.items() if shown["active"] and sku not in wanted]
        assert not left, f"products without rows: {left}"
        rows: Rows = [(sku,) for sku in {row[0] for row in self.items}]
        _demand_statuses(exported, "products", rows, {sku: sku for sku in wanted})

    def _demand_prices(self, exported: Exported) -> None:
        active: dict[str, list[Any]] = {}
        for row in exported.shop.rows("price"):
            if row.obj["active"]:
                active.setdefault(row.obj["product"], []).append(row.obj)
        good = self.only("items")
        for sku, (_, name, amount, currency) in good.items():
            stated = [(p["lookup_key"], p["nickname"], p["unit_amount"], p["currency"]) for p in active.get(sku, [])]
            assert stated == [(sku, name, amount, currency)], f"prices of {sku}: {stated}"
        left = set(active) - {row[0] for row in self.items}
        assert not left, f"prices without rows: {left}"
        _demand_statuses(exported, "prices", self.items, {sku: active[sku][0]["id"] for sku in good})
        for sku, number in _counted(exported, "price.created", None).items():
            most = 1 + self.altered[sku] + self.spared[sku]
            assert number <= most, f"{number} prices of {sku} were made, and {most} are enough"

    def _demand_endings(self, exported: Exported) -> None:
        there = {row.id for row in exported.shop.rows("coupon")}
        good = self.only("endings")
        assert not there & set(good), f"coupons that should be gone: {there & set(good)}"
        _demand_statuses(exported, "endings", self.endings, dict.fromkeys(good))

    def _demand_credits(self, exported: Exported, held: set[str]) -> None:
        paid = {row.obj["description"]: row for row in exported.shop.rows("customer_balance_transaction")}
        done = {json.loads(op.key)[0]: op for op in exported.ops() if op.use == "call" and op.state is OpState.DONE}
        assert set(paid) - set(done) <= held, f"made, and the ledger does not say so: {set(paid) - set(done)}"
        ready = {credit for credit, row in self.only("credits").items() if row[1] in self.only("people")} - held
        expected = {credit: paid[credit].id for credit in done} | {
            credit: paid[credit].id if credit in paid else "" for credit in ready
        }
        _demand_statuses(exported, "credits", self.credits, expected)
        given = exported.rows("given") if done else []
        now = {row["credit"]: row["id"] for row in given}
        assert len(now) == len(given), f"answers that came twice: {given}"
        single = {credit for credit in self.only("credits") if credit in done}
        missing = {credit: paid[credit].id for credit in single if now.get(credit) != paid[credit].id}
        assert not missing, f"answers that the Schema does not have: {missing}"


def _demand_statuses(exported: Exported, step: str, rows: Rows, good: dict[str, Any]) -> None:
    """Each row has one outcome with the right status and, where known, the object of the row."""
    recorded = exported.outcomes(f"sell.{step}")
    own = [outcome for outcome in recorded if outcome["number"] is not None]
    keys = Counter(json.loads(outcome["key"])[0] for outcome in own)
    assert keys == Counter(row[0] for row in rows), f"{step}: outcomes of {keys}"
    for outcome in own:
        key = json.loads(outcome["key"])[0]
        status, entity = outcome["_status"], outcome["_entity_id"]
        if key in good:
            assert status in GOOD, f"{step} {key}: {status} {outcome['_message']}"
            assert good[key] is None or entity == good[key], f"{step} {key} means {entity}, not {good[key]}"
        else:
            assert status in ("refused", "failed", "unknown", "unsent"), f"{step} {key}: {status}"
            assert outcome["_message"], f"{step} {key} does not say why"


def _counted(exported: Exported, kind: str, name: str | None) -> Counter[str]:
    """The number of events of a type, by metadata of this name (None: by product)."""
    found: Counter[str] = Counter()
    for row in exported.shop.rows("event"):
        if row.obj["type"] == kind:
            shown = row.obj["data"]["object"]
            key = shown["product"] if name is None else shown["metadata"].get(name)
            if key is not None:
                found[key] += 1
    return found
