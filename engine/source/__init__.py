"""Definition files as written: texts, documents with spans, and the lines and columns of places."""

from .load import Files, ReadMemory, is_case, load_root, read_files, read_tree
from .locate import locate, region
from .tree import SourceTree
from .types import Document, Entry, MappingNode, Node, Region, Scalar, ScalarNode, SequenceNode, Span, plain
from .yaml import read_yaml

__all__ = [
    "Document",
    "Entry",
    "Files",
    "MappingNode",
    "Node",
    "ReadMemory",
    "Region",
    "Scalar",
    "ScalarNode",
    "SequenceNode",
    "SourceTree",
    "Span",
    "is_case",
    "load_root",
    "locate",
    "plain",
    "read_files",
    "read_tree",
    "read_yaml",
    "region",
]
