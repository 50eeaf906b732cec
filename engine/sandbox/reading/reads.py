"""Responses to GET requests: lists, single objects, searches."""

from __future__ import annotations

from typing import Any, Final

from engine.connectors.stripe.catalogue import PageStyle, Parent, Retrieve, Search, Table

from ..admission import RouteMatch
from ..errors import ApiError, invalid, missing
from ..objects import Expander, Tree, label
from ..params import RawParams
from ..state import OrderKey, Row, Store
from ..world import SandboxWorld
from .filters import event_is_listed, read_filters
from .listing import find_page, read_paging
from .search import find

STAY: Final = frozenset({"customer", "terminal.configuration", "terminal.location", "terminal.reader"})
"""Kinds whose deleted objects are retrieved as `{id, object, deleted}`."""

OF_ACCOUNT: Final = frozenset({"bank_account", "card", "person", "capability"})


class Reader:
    """Responds to reads, as JSON bytes."""

    def __init__(self, world: SandboxWorld, expander: Expander) -> None:
        self._world = world
        self._expander = expander

    def page(self, store: Store, match: RouteMatch, table: Table, path: str, given: RawParams) -> bytes:
        """One page of a list."""
        if table.page is PageStyle.V2:
            return b'{"data":[],"next_page_url":null,"previous_page_url":null}'
        store = self._store_of(store, table, match)
        tree = self._expander.read(given, table.resources, in_list=True)
        if table.path not in self._world.catalogue.unreadable:
            query = read_filters(store, table, given, self._world.clock.now(), match.values)
            within = self._within(store, table, match)
            paging = read_paging(given)
            rows, more = find_page(store, table.resources, query, paging, within)
        else:
            rows, more = [], False
        parts = [self._render(store, table.resources, row, tree) for row in rows]
        return b'{"object":"list","data":[%b],"has_more":%b,"url":"%b"}' % (
            b",".join(parts),
            b"true" if more else b"false",
            path.encode(),
        )

    def _store_of(self, store: Store, table: Table, match: RouteMatch) -> Store:
        if table.path.startswith("/v1/accounts/{"):
            if not self._world.knows(match.last):
                raise missing("account", match.last, in_path=True, param="account")
            return self._world.store(match.last, livemode=store.livemode)
        return store

    def _within(self, store: Store, table: Table, match: RouteMatch) -> list[OrderKey] | None:
        """The rows of the parent in the path, or None without one."""
        parent = next((each for each in table.parents if each.in_path), None)
        if parent is None:
            return None
        owner = match.values[parent.param]
        kinds = self._world.catalogue.tables[parent.table].resources if parent.table else ()
        if kinds[:1] != ("account",) and not any(store.find(kind, owner) for kind in kinds):
            raise missing(label(kinds[0] if kinds else parent.param), owner, param=parent.param, in_path=True)
        rows = [row for kind in table.resources for row in self._children(store, kind, parent, owner)]
        return sorted((row.created, row.seq, row) for row in rows)

    def _children(self, store: Store, kind: str, parent: Parent, owner: str) -> list[Row]:
        field = self._world.catalogue.resources[kind].find(parent.field)
        if field is not None and kind not in OF_ACCOUNT:
            return store.find_all(kind, parent.field, owner)
        return store.table(kind).children(owner)

    def _render(self, store: Store, kinds: tuple[str, ...], row: Row, tree: Tree) -> bytes:
        kind = kinds[0]
        if len(kinds) > 1:
            kind = next(each for each in kinds if store.find(each, row.id) is row)
        renderer = self._world.renderer
        if not tree:
            return renderer.body(store, kind, row)
        return renderer.encode(self._expander.apply(store, renderer.show(store, kind, row), tree))

    def retrieve(self, store: Store, match: RouteMatch, endpoint: Retrieve, given: RawParams) -> bytes:
        """One object."""
        tree = self._expander.read(given, endpoint.returns, in_list=False)
        unknown = [name for name in given if name != "expand" and name not in endpoint.params]
        if unknown:
            raise invalid(f"Received unknown parameter: {unknown[0]}", unknown[0], "parameter_unknown")
        shown = self._single(store, match, endpoint)
        return self._world.renderer.encode(self._expander.apply(store, shown, tree) if tree else shown)

    def _single(self, store: Store, match: RouteMatch, endpoint: Retrieve) -> dict[str, Any]:
        if endpoint.path == "/v1/balance":
            return self._world.balance(store)
        if endpoint.returns == ("account",):
            return self._account(store, match)
        if not match.values:
            return self._singleton(endpoint)
        for kind in endpoint.returns:
            row = store.find(kind, match.last)
            if row is not None and self._visible(kind, row) and _belongs(match, row):
                return self._world.renderer.show(store, kind, row)
            if kind in STAY and match.last in store.table(kind).gone:
                return self._world.renderer.deleted(self._world.catalogue.resources[kind].object, match.last)
        kind = endpoint.returns[0] if endpoint.returns else "file"
        other = self._world.in_other_mode(store, kind, match.last)
        raise missing(label(kind), match.last, in_path=True, elsewhere=other)

    def _account(self, store: Store, match: RouteMatch) -> dict[str, Any]:
        wanted = match.last if match.values else store.account
        if not self._world.knows(wanted) or (store.account != self._world.platform and wanted != store.account):
            message = f"The provided key does not have access to account '{wanted}' (or that account does not exist)."
            raise ApiError(403, message, code="account_invalid")
        account = self._world.store(wanted, livemode=store.livemode)
        embedding = self._world.renderer.embedding("account", "external_accounts")
        shown = dict(self._world.account_of(account))
        if embedding is not None:
            shown["external_accounts"] = self._world.renderer.embed(account, embedding, Row(shown, 0, 0, None, None))
        return shown

    def _singleton(self, endpoint: Retrieve) -> dict[str, Any]:
        """Per-account settings and summaries, always in their initial state."""
        shown = self._world.shapes.blank(endpoint.returns[0])
        if not shown["id"]:
            del shown["id"]
        return shown

    def _visible(self, kind: str, row: Row) -> bool:
        return kind != "event" or event_is_listed(row, self._world.clock.now())

    def search(self, store: Store, endpoint: Search, path: str, given: RawParams) -> bytes:
        """One page of search results."""
        tree = self._expander.read({key: value for key, value in given.items() if not _counts(key, value)},
                                   (endpoint.resource,), in_list=True)  # fmt: skip
        now, lag = self._world.clock.now(), self._world.options.search_lag
        rows, following, total = find(store, endpoint.resource, given, now, lag)
        page: dict[str, Any] = {"object": "search_result", "data": [], "has_more": following is not None}
        page |= {"next_page": following, "url": path}
        if any(_counts(key, value) for key, value in given.items()):
            page["total_count"] = total
        parts = b",".join(self._render(store, (endpoint.resource,), row, tree) for row in rows)
        return self._world.renderer.encode(page).replace(b'"data":[]', b'"data":[%b]' % parts, 1)


def _counts(key: str, value: Any) -> bool:
    return key == "expand" and isinstance(value, dict) and "total_count" in value.values()


def _belongs(match: RouteMatch, row: Row) -> bool:
    owners = [value for value in match.values.values() if value != row.id]
    if not owners:
        return True
    return row.parent in owners or any(owner in row.obj.values() for owner in owners)
