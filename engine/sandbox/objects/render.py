"""Renders objects for responses: with embedded objects, and as bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from engine.connectors.stripe.catalogue import Catalogue, Table

from ..state import Obj, Row, Store

CUT: Final = 10
"""Number of items in an embedded list."""

LINKS: Final[Mapping[str, Mapping[str, str]]] = {
    "credit_note_line_item": {"tax_rates": "tax_rate"},
    "customer": {"discount": "discount"},
    "dispute": {"balance_transactions": "balance_transaction"},
    "invoice": {"default_tax_rates": "tax_rate"},
    "invoiceitem": {"tax_rates": "tax_rate"},
    "item": {"price": "price"},
    "subscription": {"default_tax_rates": "tax_rate"},
    "subscription_item": {"price": "price", "plan": "plan", "tax_rates": "tax_rate"},
}
"""Fields stored as ids and rendered as the current objects."""

LINKED: Final = frozenset(target for links in LINKS.values() for target in links.values())


@dataclass(frozen=True, slots=True)
class Embedding:
    """A list of `children` in the field `field` of `owner`. `url` takes the owner's id.

    `column` is the children's reference to their owner; None if their row has the parent.
    """

    owner: str
    field: str
    children: tuple[str, ...]
    url: str
    always: bool
    column: str | None = None


EXTRA: Final = (
    Embedding("charge", "refunds", ("refund",), "/v1/refunds?charge={}", always=False, column="charge"),
    Embedding("customer", "subscriptions", ("subscription",), "/v1/subscriptions?customer={}", False, "customer"),
    Embedding("invoice", "payments", ("invoice_payment",), "/v1/invoice_payments?invoice={}", False, "invoice"),
    Embedding("account", "external_accounts", ("bank_account", "card"), "/v1/accounts/{}/external_accounts", True),
    Embedding("file", "links", ("file_link",), "/v1/file_links?file={}", always=True, column="file"),
)
"""Embedded lists that the catalogue does not describe as tables of their own."""


class Renderer:
    """Renders rows. Bytes are cached in the row until it or an embedded object changes."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._embeddings: dict[str, dict[str, Embedding]] = {}
        self.owners: dict[str, list[str]] = {}
        for table in catalogue.tables.values():
            if table.embedded is not None:
                self._add(_embedding(catalogue, table))
        for extra in EXTRA:
            self._add(extra)
        self._encoder = msgspec.json.Encoder()

    def _add(self, embedding: Embedding) -> None:
        self._embeddings.setdefault(embedding.owner, {})[embedding.field] = embedding
        for child in embedding.children:
            self.owners.setdefault(child, []).append(embedding.owner)

    def show(self, store: Store, resource: str, row: Row) -> dict[str, Any]:
        """The object without `expand`."""
        shown = dict(row.obj)
        for field, target in LINKS.get(resource, {}).items():
            shown[field] = self._linked(store, target, shown.get(field))
        for field, embedding in self._embeddings.get(resource, {}).items():
            if embedding.always:
                shown[field] = self.embed(store, embedding, row)
        return shown

    def body(self, store: Store, resource: str, row: Row) -> bytes:
        """The object without `expand`, as JSON."""
        if row.body is None or row.epoch != store.epoch:
            row.body = self._encoder.encode(self.show(store, resource, row))
            row.epoch = store.epoch
        return row.body

    def embedding(self, resource: str, field: str) -> Embedding | None:
        """The embedded list in this field, always present or not."""
        return self._embeddings.get(resource, {}).get(field)

    def embed(self, store: Store, embedding: Embedding, row: Row) -> dict[str, Any]:
        """The list object with the owner's first children."""
        found = [(child, each) for child in embedding.children for each in self._children(store, embedding, child, row)]
        return {
            "object": "list",
            "data": [self.show(store, child, each) for child, each in found[:CUT]],
            "has_more": len(found) > CUT,
            "total_count": len(found),
            "url": embedding.url.format(row.id),
        }

    def deleted(self, object_name: str, identifier: str) -> dict[str, Any]:
        """The stub of a deleted object."""
        return {"id": identifier, "object": object_name, "deleted": True}

    def _children(self, store: Store, embedding: Embedding, child: str, row: Row) -> list[Row]:
        if embedding.column is None:
            return store.table(child).children(row.id)
        return store.find_all(child, embedding.column, row.id)[::-1]

    def _linked(self, store: Store, target: str, value: Any) -> Any:
        if isinstance(value, list):
            return [self._linked(store, target, each) for each in value]
        row = store.find(target, value) if isinstance(value, str) else None
        return self.show(store, target, row) if row is not None else None if isinstance(value, str) else value

    def encode(self, value: Obj) -> bytes:
        """Encode any value as JSON."""
        return self._encoder.encode(value)


def _embedding(catalogue: Catalogue, table: Table) -> Embedding:
    assert table.embedded is not None
    owner = catalogue.tables[table.embedded.table].resource
    url = table.path
    for parent in table.parents:
        url = url.replace("{" + parent.param + "}", "{}") if parent.in_path else f"{url}?{parent.param}={{}}"
    return Embedding(owner, table.embedded.field, table.resources, url, not table.embedded.expand)
