"""Assertions that a ledger is true to the requests that a shop has received."""

from __future__ import annotations

from collections import Counter

from engine.run import OpState
from tests.support.exports.exported import Exported

OVER = frozenset({OpState.DONE, OpState.FAILED, OpState.QUARANTINED, OpState.DROPPED})


def demand_ledger(exported: Exported) -> None:
    """At any time, even after a crash: each request was recorded before it was sent, each op that is done was answered
    with success, and each write was made at most once."""
    shop = exported.shop
    ops = {op.id: op for op in exported.ops()}
    answered: dict[str, set[tuple[str, str]]] = {}
    for request in shop.requests():
        key = request["idempotency_key"]
        if request["method"] == "GET":
            continue
        assert key in ops, f"{request['method']} {request['path']} was sent, and the ledger knows nothing of {key}"
        assert ops[key].sent is not None, f"{key} was sent, and the ledger does not say so"
        if request["status"] == 200:
            answered.setdefault(key, set()).add((request["id"], request["method"]))
    for op in ops.values():
        if op.state is OpState.DONE and op.request is not None:
            assert op.request in {name for name, _ in answered.get(op.id, ())}, f"{op.id}: no such answer: {op.request}"
    made = Counter(
        row.obj["request"]["idempotency_key"]
        for row in shop.rows("event")
        if row.obj["type"] in ("customer.created", "product.created", "price.created")
    )
    twice = {key: number for key, number in made.items() if key is not None and number > 1}
    assert not twice, f"done more than once: {twice}"
    paid = Counter(row.obj["description"] for row in shop.rows("customer_balance_transaction"))
    assert not [credit for credit, number in paid.items() if number > 1], f"money was moved twice: {paid}"


def demand_settled(exported: Exported) -> set[str]:
    """After an undisturbed run: no op is open, and the object of every write that is done existed.
    Returns the keys of calls that a person has to resolve."""
    shop = exported.shop
    known = {row.obj["data"]["object"]["id"] for row in shop.rows("event") if "id" in row.obj["data"]["object"]}
    known |= {row.id for row in shop.rows("customer_balance_transaction")}  # They have no events.
    quarantined = set()
    for op in exported.ops():
        assert op.state in OVER, f"{op.id} ({op.target} of {op.key}) is still {op.state}"
        assert op.answer is None, f"{op.id}: staging does not have its answer"
        if op.state is OpState.DONE:
            assert op.result in known, f"{op.id} ({op.target}) made {op.result}, which was never there"
        if op.state is OpState.QUARANTINED:
            assert op.use == "call", f"{op.id} ({op.target}) moves no money"
            quarantined.add(op.key)
    return quarantined
