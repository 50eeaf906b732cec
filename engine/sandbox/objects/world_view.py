"""What a request's writes may ask of the sandbox that they happen in."""

from __future__ import annotations

from typing import Any, Protocol

from engine.connectors.stripe.catalogue import Catalogue

from ..options import SandboxOptions
from ..state import Obj, Store
from .render import Renderer
from .shapes import Shapes


class WorldView(Protocol):
    """The world, as far as an operation needs it."""

    options: SandboxOptions
    catalogue: Catalogue
    shapes: Shapes
    renderer: Renderer

    def knows(self, account: str) -> bool:
        """Whether there is such an account."""
        ...

    def account_of(self, store: Store) -> Obj:
        """The account object of a store."""
        ...

    def register(self, account: Obj) -> None:
        """Make a connected account reachable, or remember its new state."""
        ...

    def forget(self, account: str) -> None:
        """Close a deleted connected account."""
        ...

    def in_other_mode(self, store: Store, resource: str, identifier: str) -> bool | None:
        """The mode (live: True) in which an object that is not here does exist; None if in neither."""
        ...

    def balance(self, store: Store) -> dict[str, Any]:
        """What `/v1/balance` answers."""
        ...
