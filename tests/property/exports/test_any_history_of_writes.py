"""After any history and any crash, one run makes the shop match the rows and makes no write twice."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from engine.plan import PENDING
from engine.sandbox.admission.faults import REASONS
from tests.support.effort import examples
from tests.support.exports.exported import Definitions, Exported, define
from tests.support.exports.histories_project import COLUMNS, INTERFACE
from tests.support.exports.ledger_truth import demand_ledger, demand_settled
from tests.support.exports.life import Crash, Life
from tests.support.exports.wanted import Wanted
from tests.support.mirror.shop import RefusedError, ServedShops

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""Without shrinking, which would take an hour, because a run takes a second."""
HOUR = 3_600
NUMBERS = st.integers(0, 40)
CODES = st.sampled_from(("ann", "ben", "cleo", None))
SKUS = st.sampled_from(("basic", "pro", None))
COUPONS = ("SPRING", "SUMMER")
WORDS = st.sampled_from(("one", "two", "three"))
POINTS = (
    "ledger.plan_ops", "ledger.mark_sent", "ledger.mark_sent", "ledger.end_ops", "ledger.end_ops", "ledger.end_ops",
    "ledger.end_ops", "ledger.staged", "ledger.remember", "staging.load", "staging.keep_outcomes", "tables.apply",
)  # fmt: skip
CRASH = st.builds(
    Crash,
    st.sampled_from(POINTS),
    st.sampled_from((1, 1, 1, 2, 2, 3, 4, 6)),
    st.booleans(),
    st.sampled_from((False,) * 4 + (True,)),
)
DEATH = st.builds(
    Crash, st.sampled_from(("ledger.end_ops", "ledger.end_ops", "ledger.mark_sent")), st.integers(1, 2), st.booleans()
)
PATHS = ("*", "/v1/customers", "/v1/customers/*", "/v1/products*", "/v1/prices*", "/v1/prices/*", "/v1/coupons/*",
         "/v1/customers/*/balance_transactions")  # fmt: skip
FAULT = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(
            ("error", "error", "rate_limit", "lock", "reset", "reset", "truncated", "malformed", "latency", "slow_body")
        ),
        "method": st.sampled_from(("POST", "POST", "POST", "DELETE", "*")),
        "path": st.sampled_from(PATHS),
        "skip": st.integers(0, 2),
        "times": st.integers(1, 7),
        "status": st.sampled_from((500, 502, 503)),
        "reason": st.sampled_from(REASONS),
        "seconds": st.just(0.003),
        "applied": st.booleans(),
    }
)
EDIT = st.tuples(st.sampled_from(("customer", "customer", "product", "price", "coupon")), NUMBERS, NUMBERS)


class Writes(RuleBasedStateMachine):
    """A Schema, a shop, what happens to both, and runs between them."""

    served: ClassVar[ServedShops]
    definitions: ClassVar[Definitions]

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.shop = self.served.open()
        self.exported = Exported(self.folder, self.definitions, self.shop)
        self.wanted = Wanted()
        self.shop.act("POST", "/v1/customers", {"name": "not ours", "metadata[code]": "foreign"})
        for coupon in COUPONS:
            self._make_coupon(coupon)
        self.credits = 0
        self.wanted.put("people", ("ann", "one", "gold"))
        self.wanted.put("items", ("basic", "one", 100, "eur"))

    def _make_coupon(self, name: str) -> None:
        with suppress(RefusedError):
            self.shop.act("POST", "/v1/coupons", {"id": name, "percent_off": "10", "duration": "once"})

    @rule(
        code=CODES,
        name=WORDS,
        tier=st.sampled_from(("gold", "plain", None)),
        double=st.sampled_from((False,) * 5 + (True,)),
    )
    def a_person(self, code: str | None, name: str, tier: str | None, double: bool) -> None:
        self.wanted.put("people", (code, name, tier), double=double)

    @rule(
        sku=SKUS, name=WORDS, amount=st.sampled_from((100, 200)), currency=st.sampled_from(("eur", "eur", "usd")),
        double=st.sampled_from((False,) * 5 + (True,)),
    )  # fmt: skip
    def an_item(self, sku: str | None, name: str, amount: int, currency: str, double: bool) -> None:
        self.wanted.put("items", (sku, name, amount, currency), double=double)
        self.wanted.altered[sku or ""] += 1

    @rule(table=st.sampled_from(("people", "items", "credits", "endings")), who=NUMBERS)
    def a_row_goes(self, table: str, who: int) -> None:
        rows = getattr(self.wanted, table)
        if rows:
            self.wanted.drop(table, rows[who % len(rows)][0])

    @rule(code=CODES, again=NUMBERS)
    def a_credit(self, code: str | None, again: int) -> None:
        """A new one; seldom one that was there before, with another amount or for somebody else."""
        self.credits += 1
        number = again % self.credits if again < 4 else self.credits
        double = again == 0
        self.wanted.put("credits", (f"credit-{number}", code, -100 - again), double=double)

    @rule(coupon=st.sampled_from(COUPONS), again=st.booleans())
    def an_ending(self, coupon: str, again: bool) -> None:
        if again:
            self._make_coupon(coupon)
        self.wanted.put("endings", (coupon,))

    @rule(seconds=st.sampled_from((1, HOUR, 22 * HOUR, 23 * HOUR, 25 * HOUR)))
    def wait(self, seconds: int) -> None:
        self.shop.advance(seconds)

    @rule(edit=EDIT)
    def edit(self, edit: tuple[str, int, int]) -> None:
        """Somebody changes an object at the shop."""
        kind, who, how = edit
        rows = self.shop.rows(kind)
        if rows:
            row = rows[who % len(rows)]
            with suppress(RefusedError):
                self._edit_one(kind, row.id, row.obj, how)
        self.shop.advance(1)

    def _edit_one(self, kind: str, name: str, shown: Any, how: int) -> None:
        path = f"/v1/{kind}s/{name}"
        code = shown["metadata"].get("code", "")
        if code == "foreign":
            return
        match kind, how % 5:
            case "coupon", _:
                self.shop.act("DELETE", path)
            case "customer", 0:
                self.shop.act("DELETE", path)
            case "customer", 1:
                self.shop.act("POST", path, {"metadata[code]": ""})
                self.wanted.spared[code] += 1
            case "customer", 2:
                self.shop.act("POST", path, {"metadata[tier]": ""})
            case "price", 0:
                self.shop.act("POST", path, {"lookup_key": ""})
                self.wanted.spared[shown["product"]] += 1
            case "price", 1:
                self.shop.act("POST", path, {"nickname": "edited"})
            case (("product" | "price"), 2):
                self.shop.act("POST", path, {"active": "false"})
            case (("customer" | "product"), 3):
                self.shop.act("POST", path, {"name": "edited"})
            case _:
                self.shop.act("POST", path, {"metadata[seen]": str(how)})

    @rule()
    def plan(self) -> None:
        """Only planned: nothing is sent."""
        before = self._sent()
        self._fill()
        self.exported.run(only_plan=True)
        assert self._sent() == before

    @rule()
    def run(self) -> None:
        self._run_undisturbed()

    @rule(edits=st.lists(EDIT, max_size=2), name=WORDS)
    def run_as_planned(self, edits: list[tuple[str, int, int]], name: str) -> None:
        """What is not as it was planned is not written."""
        self._fill()
        planned = {each.step: each for each in self.exported.run(only_plan=True).writes}
        for edit in edits:
            self.edit(edit)
        self.shop.advance(2)
        known = {op.id for op in self.exported.ops()}
        run = self.exported.run(expected=planned)
        for step, writes in planned.items():
            new = [op for op in self.exported.ops() if op.id not in known and op.step == step and op.use != "replaced"]
            outcome = run.outcome(step)
            assert outcome is not None
            if outcome.code == "E640":
                assert not new, f"{step} is not as planned, and was written"
                continue
            assert [(op.use, op.key) for op in new] == [(write.use, write.key) for write in writes.writes], step
            for op, write in zip(new, writes.writes, strict=True):
                fixed = {(path, text) for path, text in write.parameters if not text.startswith(PENDING)}
                assert fixed <= set(op.parameters), f"{op.id} sends something else than what was planned"
        demand_ledger(self.exported)

    @rule(crash=DEATH, code=CODES, name=WORDS)
    def run_that_dies(self, crash: Crash, code: str | None, name: str) -> None:
        """It dies around a request: there is a person to be changed or made, and money to be moved."""
        self.a_person(code, name, "gold", double=False)
        self.a_credit("ann", 40)
        self._fill()
        self.exported.run(life=Life(crash))
        self.shop.advance(1)
        demand_ledger(self.exported)

    @rule(
        faults=st.lists(FAULT, max_size=3), crash=st.none() | CRASH, code=CODES, sku=SKUS, name=WORDS,
        amount=st.sampled_from((100, 200)),
    )  # fmt: skip
    def run_in_trouble(
        self, faults: list[Any], crash: Crash | None, code: str | None, sku: str | None, name: str, amount: int
    ) -> None:
        """However it ends, nothing is done twice, and the ledger knows of everything. There is something to be done."""
        self.a_person(code, name, "gold", double=False)
        self.an_item(sku, name, amount, "eur", double=False)
        self.a_credit("ann", 40)
        self._fill()
        for fault in faults:
            self.shop.fault(**fault)
        self.exported.run(life=Life(crash))
        self.shop.calm()
        self.shop.advance(1)
        demand_ledger(self.exported)

    def _fill(self) -> None:
        self.wanted.fill(self.exported)
        self.shop.advance(2)

    def _sent(self) -> int:
        return sum(request["method"] != "GET" for request in self.shop.requests())

    def _run_undisturbed(self) -> None:
        self._fill()
        run = self.exported.run()
        demand_ledger(self.exported)
        quarantined = demand_settled(self.exported)
        self.wanted.demand(self.exported, quarantined)
        assert not [each.message for each in run.outcomes if each.code not in (None, "E642")]

    def teardown(self) -> None:
        try:
            if hasattr(self, "exported"):
                self._run_undisturbed()
                before = self._sent()
                self.shop.advance(2)
                self.exported.run()
                assert self._sent() == before, "nothing has changed, and something was written"
        finally:
            if hasattr(self, "folder"):
                shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedShops]:
    shops = ServedShops()
    Writes.served = shops
    Writes.definitions = define(tmp_path_factory.mktemp("project"), shops.url, INTERFACE, COLUMNS)
    yield shops
    shops.close()


def test_any_history_of_writes_makes_the_shop_match_the_rows(served: ServedShops) -> None:
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    effort = settings(
        max_examples=examples(4), stateful_step_count=10, deadline=None, suppress_health_check=checks, phases=PHASES
    )
    run_state_machine_as_test(Writes, settings=effort)
