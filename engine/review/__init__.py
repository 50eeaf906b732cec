"""What a change of the definitions means for who reviews it: what it exposes, what it writes, what it costs."""

from .compare import compare
from .risks import risks_of
from .types import Asked, Change, Consequence, Cost, Edit, Finding, Review, Side, Topic, Weight

__all__ = [
    "Asked",
    "Change",
    "Consequence",
    "Cost",
    "Edit",
    "Finding",
    "Review",
    "Side",
    "Topic",
    "Weight",
    "compare",
    "risks_of",
]
