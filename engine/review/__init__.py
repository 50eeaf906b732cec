"""Reviews a change of the definitions: the access it extends, the writes it adds, the requests it costs."""

from .compare import compare
from .risks import risks_of
from .types import Change, Consequence, Cost, Edit, NewFinding, RequestEstimate, Review, Side, Topic, Weight

__all__ = [
    "Change",
    "Consequence",
    "Cost",
    "Edit",
    "NewFinding",
    "RequestEstimate",
    "Review",
    "Side",
    "Topic",
    "Weight",
    "compare",
    "risks_of",
]
