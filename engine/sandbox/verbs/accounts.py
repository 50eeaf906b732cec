"""Connected accounts and test clocks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..errors import invalid, refused
from ..objects import Mutation
from ..seeds import seed_account
from .generic import Result, WriteCall, WriteHandler, plain, target


def create_account(mutation: Mutation, call: WriteCall) -> Result:
    """Create a connected account without a business."""
    params = call.params
    name = (params.get("business_profile") or {}).get("name") or "New account"
    made = seed_account(mutation, mutation.identify("account"), name, params.get("country") or "US")
    given = plain(
        mutation, "account", params, skip=("business_profile", "settings", "capabilities", "controller", "type")
    )
    account = {**made, "created": mutation.now, "metadata": {}, "type": params.get("type", "standard"), **given}
    account["business_profile"] = {**made["business_profile"], **(params.get("business_profile") or {})}
    row = mutation.add("account", account)
    mutation.world.register(row.obj)
    return "account", row


def update_account(mutation: Mutation, call: WriteCall) -> Result:
    """Update a connected account."""
    _, row = target(mutation, call)
    mutation.change("account", row, plain(mutation, "account", call.params, row), event="account.updated")
    mutation.world.register(row.obj)
    return "account", row


def delete_account(mutation: Mutation, call: WriteCall) -> Result:
    """Delete a connected account; it is no longer reachable."""
    _, row = target(mutation, call)
    mutation.world.forget(row.id)
    return mutation.remove("account", row)


def create_clock(mutation: Mutation, call: WriteCall) -> Result:
    """Create a test clock. It only shows a time; the sandbox's clock drives all processes."""
    frozen = call.params["frozen_time"]
    fields = {"frozen_time": frozen, "name": call.params.get("name"), "deletes_after": mutation.now + 30 * 86_400}
    status = {"status": "ready", "status_details": {}}
    kind = "test_helpers.test_clock"
    return kind, mutation.add(kind, {**fields, **status}, event="test_helpers.test_clock.created")


def advance_clock(mutation: Mutation, call: WriteCall) -> Result:
    """Advance a test clock; attached objects do not follow."""
    resource, row = target(mutation, call)
    timestamp = call.params["frozen_time"]
    if timestamp <= row.obj["frozen_time"]:
        raise invalid("The clock can only be advanced to a later time.", "frozen_time")
    mutation.change(resource, row, {"frozen_time": timestamp})
    mutation.emit("test_helpers.test_clock.ready", resource, row)
    return resource, row


def delete_clock(mutation: Mutation, call: WriteCall) -> Result:
    """Delete a test clock without customers."""
    resource, row = target(mutation, call)
    if mutation.store.find_all("customer", "test_clock", row.id):
        raise refused("The sandbox deletes only test clocks without customers.")
    return mutation.remove(resource, row, event="test_helpers.test_clock.deleted")


VERBS: Final[Mapping[tuple[str, str], WriteHandler]] = {
    ("post", "/v1/accounts"): create_account,
    ("post", "/v1/accounts/{account}"): update_account,
    ("delete", "/v1/accounts/{account}"): delete_account,
    ("post", "/v1/test_helpers/test_clocks"): create_clock,
    ("post", "/v1/test_helpers/test_clocks/{test_clock}/advance"): advance_clock,
    ("delete", "/v1/test_helpers/test_clocks/{test_clock}"): delete_clock,
}
