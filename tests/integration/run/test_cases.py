"""Cases of small projects: their input rows reach the steps, and the output is compared."""

from __future__ import annotations

import textwrap
import threading
from pathlib import Path

import pytest

from engine.app.cases.given import Given
from engine.app.cases.run import opened_cases, run_cases
from engine.app.running.world import RunOptions
from engine.app.workspace import Workspace

CONNECTION = """
kind: connection
name: shop
connector: stripe
is_source: true
is_target: true
is_active: false
grants: {write: [customers]}
accounts: [acct_1a, acct_2b]
client_secret: {command: "false"}
"""
SEEN = """
kind: schema
name: seen
columns: {id: text, account: text, live: boolean, n: integer, at: timestamp}
key: [id]
"""


def project(root: Path, interface: str, cases: str, accounts: bool = False) -> Path:
    """A project with one interface and its cases."""
    connection = CONNECTION if accounts else CONNECTION.replace("accounts: [acct_1a, acct_2b]\n", "")
    texts = {
        "connections/shop.yaml": connection,
        "schemas/seen.yaml": SEEN,
        "interfaces/it.yaml": "kind: interface\nname: it\nis_active: false\nsteps:\n" + textwrap.dedent(interface),
        "interfaces/deep/it.test.yaml": "kind: test\ncases:\n" + textwrap.indent(textwrap.dedent(cases), "  "),
    }
    for name, text in texts.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text.lstrip())
    return root


def differences(root: Path, *patterns: str) -> list[list[str]]:
    """The differences of each case. The key is unavailable, so that any access to it fails."""
    with opened_cases(Workspace.open(root), patterns) as cases:
        verdicts = run_cases(cases, RunOptions(False, {}, threading.Event()), lambda _: None)
    return [[str(each) for each in verdict.differences] for verdict in verdicts]


def test_case_rows_can_have_an_account_and_a_mode(tmp_path: Path) -> None:
    interface = """
    - import:
        connection: shop
        into: seen
        sql: SELECT id, _account AS account, _livemode AS live, amount AS n, created AS at FROM charges
    """
    cases = """
    - name: two accounts
      given:
        shop:
          charges:
            - {id: ch_1, _account: acct_1a, _livemode: true, amount: 1}
            - {id: ch_2, _account: acct_2b, amount: 2, created: 2026-01-01T01:00:00+01:00}
            - {id: ch_1, _account: acct_2b, amount: 3}
      expect:
        schema: {seen: [{id: ch_2, account: acct_2b, live: false, at: 2026-01-01T00:00:00Z}, {id: ch_1}]}
    """
    (difference,) = differences(project(tmp_path, interface, cases, accounts=True))
    assert [each.split(": the box")[0] for each in difference] == ["run: `it.import_1` failed[E602]"]
    single = cases.replace("- {id: ch_1, _account: acct_2b, amount: 3}", "")
    assert differences(project(tmp_path, interface, single, accounts=True)) == [[]]


def test_case_rows_count_as_changed_and_need_no_parents(tmp_path: Path) -> None:
    interface = """
    - name: charges
      import:
        connection: shop
        into: seen
        action: insert
        sql: SELECT id, amount AS n FROM changed.charges
        map: {id: id, n: n}
    - name: lines
      import:
        connection: shop
        into: seen
        action: insert
        sql: SELECT id, amount AS n FROM invoice_line_items WHERE invoice = 'in_1'
        map: {id: id, n: n}
    - name: answer
      respond: {sql: SELECT count(*) AS rows FROM seen}
    """
    cases = """
    - name: both
      given:
        shop:
          charges: [{id: ch_1, amount: 1}]
          invoice_line_items: [{id: il_1, invoice: in_1, amount: 2}, {id: il_2, invoice: in_2, amount: 3}]
      expect:
        schema: {seen: [{id: ch_1, n: 1}, {id: il_1, n: 2}]}
        respond: [{rows: 2}]
    - name: nothing
      expect: {schema: {seen: []}, respond: [{rows: 0}]}
    """
    assert differences(project(tmp_path, interface, cases)) == [[], []]


def test_case_reports_rows_refused_by_an_export_as_rejects(tmp_path: Path) -> None:
    interface = """
    - name: push
      export:
        connection: shop
        entity: customers
        from: seen
        action: upsert
        match: {"metadata[number]": id}
        map: {name: account}
        sql: SELECT id, account FROM seen
    """
    cases = """
    - name: two objects that show the same
      given:
        schema: {seen: [{id: a, account: Ada}, {id: b}, {id: c, account: Cem}]}
        shop:
          customers:
            - {id: cus_1, name: Ada, metadata: {number: a}}
            - {id: cus_2, metadata: {number: c}}
            - {id: cus_3, metadata: {number: c}}
      expect:
        rejects: {push: 1}
        writes: {push: [{do: create, key: [b]}]}
    - name: not expected
      given:
        schema: {seen: [{id: c, account: Cem}]}
        shop: {customers: [{id: cus_2, metadata: {number: c}}, {id: cus_3, metadata: {number: c}}]}
      expect: {writes: {push: []}}
    """
    first, second = differences(project(tmp_path, interface, cases))
    assert first == []
    assert second == ["rejects.push: rows: expected 0, got 1; the first: `id` matches more than one object"]


@pytest.mark.parametrize("method", ["write", "read", "renew", "spool"])
def test_case_cannot_write_to_a_provider(method: str) -> None:
    writer = Given({}).writer(None)  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="never reaches a provider"):
        getattr(writer, method)((), ()) if method in ("write", "read", "spool") else writer.renew(())
