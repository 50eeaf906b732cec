"""After any edits, good and bad: what is live has no errors, and memory never gives another answer than a fresh look."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.app.check import Checked
from engine.app.checker import Checker
from engine.duck import DuckBinder
from engine.graph import BindMemory, Scope
from engine.relation import INTEGER, TEXT, Column, Relation
from tests.effort import examples
from tests.unit.app.reload.definitions import BASE, NOW, Project, derive, files_of, load, opened, table

_PLACES = ("interfaces/a.yaml", "interfaces/b.yaml", "interfaces/c.yaml", "interfaces/x.yaml")
_TABLES = ("schemas/a.yaml", "schemas/b.yaml", "schemas/c.yaml", "schemas/x.yaml")
_NAMES = st.sampled_from(("a", "b", "c", "d"))
_BOXES = st.sampled_from(
    (
        "SELECT id, email FROM customers",
        "SELECT id, emial AS email FROM customers",
        "SELECT id, email FROM customers WHERE id IN (SELECT id FROM schema.a)",
        "SELECT id, name AS email FROM schema.b",
        "SELECT id, email FROM customers WHERE false AND EXISTS (SELECT name FROM schema.c)",
    )
)
_DERIVED = st.sampled_from(
    ("SELECT id, email FROM a", "SELECT id, email FROM b WHERE email > ''", "SELECT * FROM d", "SELECT nothing FROM a")
)
_MORE = st.sampled_from(("", "  name: text\n", "  name: integer\n", "  name: {type: text, required: true}\n"))
_INTERFACES = st.one_of(
    st.builds(load, _NAMES, _BOXES, _NAMES, st.sampled_from(("", "timeout: 5m\n", "is_active: false\n"))),
    st.builds(derive, _NAMES, _DERIVED),
    st.sampled_from(("kind: interface\nname: a\nsteps: [", "kind: interface\nname: b\n", "", "\tx")),
)
_SCHEMAS = st.one_of(st.builds(table, _NAMES, _MORE), st.sampled_from(("kind: schema\nname: a\ncolumns: {", "a: b\n")))
_CONNECTIONS = st.sampled_from(
    (
        BASE["connections/stripe.yaml"],
        BASE["connections/stripe.yaml"] + "timeout_ms: 20000\n",
        BASE["connections/stripe.yaml"] + "agent: near\n",
        BASE["connections/stripe.yaml"] + "bogus: 1\n",
    )
)
_SETTINGS = st.sampled_from(
    ("kind: settings\n", "kind: settings\nagents: {near: {executor: inline}}\n", "kind: settings\nstate: other\n", "x")
)
_EDITS = st.one_of(
    st.tuples(st.sampled_from(_PLACES), st.none() | _INTERFACES),
    st.tuples(st.sampled_from(_TABLES), st.none() | _SCHEMAS),
    st.tuples(st.just("connections/stripe.yaml"), st.none() | _CONNECTIONS),
    st.tuples(st.just("weir.yaml"), st.none() | _SETTINGS),
)
_SAVES = st.lists(st.dictionaries(*[_PLACES and st.nothing(), st.nothing()], max_size=0), max_size=0)


def saves() -> st.SearchStrategy[list[dict[str, str | None]]]:
    """Saves one after the other, each of one to three files."""
    return st.lists(st.lists(_EDITS, min_size=1, max_size=3).map(dict), min_size=1, max_size=6)
