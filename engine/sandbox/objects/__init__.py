"""Objects of the simulated Stripe: ids, shapes, mutations, rendering, expansion."""

from __future__ import annotations

from .expand import Expander, Tree
from .identifiers import token
from .mutation import Mutation, label
from .render import Renderer
from .shapes import Shapes

__all__ = ["Expander", "Mutation", "Renderer", "Shapes", "Tree", "label", "token"]
