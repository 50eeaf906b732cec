"""Connected accounts and test clocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..errors import invalid, refused
from ..objects.operation import Operation
from ..seeds import seed_account
from ..writes import Call, Result, Verb, plain, target


def create_account(op: Operation, call: Call) -> Result:
    """A new connected account, without a business yet."""
    params = call.params
    name = (params.get("business_profile") or {}).get("name") or "New account"
    made = seed_account(op, op.identify("account"), name, params.get("country") or "US")
    given = plain(op, "account", params, skip=("business_profile", "settings", "capabilities", "controller", "type"))
    account = {**made, "created": op.now, "metadata": {}, "type": params.get("type", "standard"), **given}
    account["business_profile"] = {**made["business_profile"], **(params.get("business_profile") or {})}
    row = op.add("account", account)
    op.world.register(row.obj)
    return "account", row


def update_account(op: Operation, call: Call) -> Result:
    """The connected account with other values."""
    _, row = target(op, call)
    op.change("account", row, plain(op, "account", call.params, row), event="account.updated")
    op.world.register(row.obj)
    return "account", row


def delete_account(op: Operation, call: Call) -> Result:
    """The connected account is gone: it cannot be reached any more."""
    _, row = target(op, call)
    op.world.forget(row.id)
    return op.remove("account", row)


def create_clock(op: Operation, call: Call) -> Result:
    """A test clock. It shows a time of its own; the sandbox's clock is the one that drives what happens."""
    frozen = call.params["frozen_time"]
    fields = {"frozen_time": frozen, "name": call.params.get("name"), "deletes_after": op.now + 30 * 86_400}
    status = {"status": "ready", "status_details": {}}
    kind = "test_helpers.test_clock"
    return kind, op.add(kind, {**fields, **status}, event="test_helpers.test_clock.created")


def advance_clock(op: Operation, call: Call) -> Result:
    """Move a test clock on; what hangs on it does not follow."""
    resource, row = target(op, call)
    moment = call.params["frozen_time"]
    if moment <= row.obj["frozen_time"]:
        raise invalid("The clock can only be advanced to a later time.", "frozen_time")
    op.change(resource, row, {"frozen_time": moment})
    op.emit("test_helpers.test_clock.ready", resource, row)
    return resource, row


def delete_clock(op: Operation, call: Call) -> Result:
    """The test clock is gone; customers must not hang on it."""
    resource, row = target(op, call)
    if op.store.find_all("customer", "test_clock", row.id):
        raise refused("The sandbox deletes only test clocks without customers.")
    return op.remove(resource, row, event="test_helpers.test_clock.deleted")


VERBS: Final[Mapping[tuple[str, str], Verb]] = {
    ("post", "/v1/accounts"): create_account,
    ("post", "/v1/accounts/{account}"): update_account,
    ("delete", "/v1/accounts/{account}"): delete_account,
    ("post", "/v1/test_helpers/test_clocks"): create_clock,
    ("post", "/v1/test_helpers/test_clocks/{test_clock}/advance"): advance_clock,
    ("delete", "/v1/test_helpers/test_clocks/{test_clock}"): delete_clock,
}
