"""Selects and runs the handler of a write."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from engine.connectors.stripe.catalogue import Write
from engine.connectors.stripe.catalogue.load import load_params

from ..objects import Mutation
from ..params import RawParams, check
from . import accounts, billing, customers, money, offers, payments, subscriptions
from .generic import GENERIC, Result, WriteCall, WriteHandler, clearable, unsupported

VERBS: Final[Mapping[tuple[str, str], WriteHandler]] = {
    **accounts.VERBS,
    **billing.VERBS,
    **customers.VERBS,
    **money.VERBS,
    **offers.VERBS,
    **payments.VERBS,
    **subscriptions.VERBS,
}
"""By method and path as in the catalogue. Every other write has the generic handler of its kind."""


def perform(mutation: Mutation, write: Write, values: Mapping[str, str], given: RawParams) -> Result:
    """Check the parameters and do the write. `values` are the placeholders of its path. ApiError if refused."""
    params = check(load_params().get(write.key, ()), given, clearing=clearable(write, mutation))
    call = WriteCall(write, values, params)
    if write.path.startswith("/v2/") or not write.returns:
        raise unsupported(call)
    return VERBS.get((write.method, write.path), GENERIC[write.kind])(mutation, call)
