"""What mutations need of the world."""

from __future__ import annotations

from typing import Any, Protocol

from engine.connectors.stripe.catalogue import Catalogue

from ..options import SandboxOptions
from ..state import Obj, Store
from .render import Renderer
from .shapes import Shapes


class WorldView(Protocol):
    """The part of the world that mutations use."""

    options: SandboxOptions
    catalogue: Catalogue
    shapes: Shapes
    renderer: Renderer

    def knows(self, account: str) -> bool:
        """Whether the account exists."""
        ...

    def account_of(self, store: Store) -> Obj:
        """The account object of a store."""
        ...

    def register(self, account: Obj) -> None:
        """Add a connected account, or update its object."""
        ...

    def forget(self, account: str) -> None:
        """Remove a deleted connected account."""
        ...

    def in_other_mode(self, store: Store, resource: str, identifier: str) -> bool | None:
        """The other mode (live: True) if the object exists there, else None."""
        ...

    def balance(self, store: Store) -> dict[str, Any]:
        """The response of `/v1/balance`."""
        ...
