"""After any edits, the live definitions have no errors, and a cached check equals a new one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.app.checking.check import Checked, Checker
from engine.app.workspace import Workspace
from engine.duck import DuckBinder
from engine.graph import BindMemory, Scope
from engine.relation import INTEGER, TEXT, Column, Relation
from tests.support.effort import examples
from tests.support.reload.definitions import BASE, Project, derive, files_of, load, opened, table

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
_SAVES = st.lists(st.lists(_EDITS, min_size=1, max_size=3).map(dict), min_size=1, max_size=5)


def meaning(checked: Checked) -> tuple[object, ...]:
    """The graph and findings of a check, for comparison."""
    return checked.specs, checked.project, checked.graph, checked.diagnostics


def checked_by_a_new_process(root: Path, texts: Mapping[str, str]) -> Checked:
    """The check of a new process."""
    with Checker(Workspace.open(root)) as cold:
        return cold.check(files_of(texts))


@settings(max_examples=examples(25))
@given(_SAVES)
def test_live_definitions_are_valid_and_valid_ones_are_live(saves: list[dict[str, str | None]]) -> None:
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), state=".weir") as project:
        for edits in saves:
            reload = project.save_files(edits)
            offered = checked_by_a_new_process(Path(folder), project.texts)
            assert meaning(reload.offered) == meaning(offered)
            live = project.reloader.live
            assert live is not None
            cold = checked_by_a_new_process(Path(folder), project.live)
            assert not cold.has_errors
            assert meaning(live.checked) == meaning(cold)
            if not offered.has_errors and not reload.fixed:
                assert project.live == project.texts
            if reload.is_new:
                apart = {name for name in {*project.live, *project.texts} if differs(project, name)}
                assert apart == set(live.held)
        assert project.reloader.live is not None
        number, last = project.reloader.live.number, project.live
        with opened(Path(folder), {"interfaces/a.yaml": "kind: ["}, state=".weir") as restarted:
            assert restarted.reloader.live is not None
            assert restarted.reloader.live.number >= number
            restarted.save_files({"interfaces/a.yaml": None, **last})
            assert restarted.live == last


def differs(project: Project, name: str) -> bool:
    """Whether the live text of a file differs from its current one."""
    return project.live.get(name) != project.texts.get(name)


_RELATIONS = st.sampled_from(
    [
        Relation(tuple(Column(name, kind) for name in names))
        for names, kind in ((["id"], TEXT), (["id", "name"], INTEGER))
    ]
)
_ACCOUNT = Relation((Column("id", TEXT),))
"""No provider has the same tables as the Schema."""

_CHANGES = st.tuples(st.sampled_from(("stripe", "schema")), st.sampled_from(("t", "u", "v")), st.none() | _RELATIONS)
"""A namespace, one of its tables, and the new relation: mostly a known one, so that the cache is used."""

_SQL = st.sampled_from(
    (
        "SELECT id FROM t",
        "SELECT * FROM v",
        "SELECT t.id FROM t JOIN schema.u ON t.id = u.id",
        "SELECT * FROM t",
        "SELECT 1 AS one FROM t WHERE false",
        "SELECT id FROM u WHERE false AND EXISTS (SELECT name FROM v)",
        "WITH t AS (SELECT 1 AS id) SELECT id FROM t",
        "SELECT count(*) AS n FROM U",
        "SELECT CASE WHEN true THEN 1 ELSE (SELECT max(name) FROM v) END AS x",
    )
)


@pytest.fixture(scope="module")
def binder() -> Iterator[DuckBinder]:
    made = DuckBinder()
    yield made
    made.close()


@settings(max_examples=examples(80))
@given(boxes=st.lists(_SQL, min_size=1, max_size=2), changes=st.lists(_CHANGES, max_size=10), forgets=st.booleans())
def test_box_is_bound_the_same_with_and_without_memory(
    binder: DuckBinder,
    boxes: list[str],
    changes: list[tuple[str, str, Relation | None]],
    forgets: bool,
) -> None:
    memory = BindMemory(binder)
    tables: dict[str, dict[str, Relation]] = {"stripe": {"account": _ACCOUNT}, "schema": {}}
    for namespace, changed, relation in changes:
        tables[namespace] = {name: known for name, known in tables[namespace].items() if name != changed}
        if relation is not None:
            tables[namespace][changed] = relation
        scope = Scope(tuple(tables.items()))
        for sql in boxes:
            assert memory.bind(sql, scope) == binder.bind(sql, scope)
        if forgets:
            memory.forget(1)


@settings(max_examples=examples(40))
@given(calls=st.lists(st.tuples(st.sampled_from(("id", "id || name", "1", "max(id)")), _RELATIONS), max_size=8))
def test_expression_is_bound_the_same_with_and_without_memory(
    binder: DuckBinder, calls: list[tuple[str, Relation]]
) -> None:
    memory = BindMemory(binder)
    for expression, columns in calls:
        assert memory.bind_expression(expression, columns) == binder.bind_expression(expression, columns)
