"""Definition files as they were written: texts, documents with spans, places to lines and columns."""

from .load import load_root
from .locate import locate, region
from .tree import SourceTree
from .types import Document, Entry, MappingNode, Node, Region, Scalar, ScalarNode, SequenceNode, Span, plain
from .yaml import read_yaml

__all__ = [
    "Document",
    "Entry",
    "MappingNode",
    "Node",
    "Region",
    "Scalar",
    "ScalarNode",
    "SequenceNode",
    "SourceTree",
    "Span",
    "load_root",
    "locate",
    "plain",
    "read_yaml",
    "region",
]
