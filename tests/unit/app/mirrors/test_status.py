"""The status of a mirror, read from its staging file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.app.authoring.scaffold import start_project
from engine.app.errors import RefusalError
from engine.app.mirrors.status import AccountStatus, connection_status
from engine.app.state import utc_now
from engine.app.workspace import Workspace
from engine.connector import Changes, Coverage, EventClaim, Op, Predicate, Window
from engine.connectors.stripe import CONNECTOR
from engine.duck import DuckStaging

CATALOGUE = CONNECTOR.catalogue(None)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
PART = Coverage("", "customers", Window(None, 1_000), ((),), AS_OF, "list", CATALOGUE.api_version, 1, 1, True)
PAID = ((Predicate("status", Op.EQ, ("paid",)),),)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    start_project(tmp_path / "shop")
    return tmp_path / "shop"


@pytest.fixture
def staging(project: Path) -> DuckStaging:
    file = project / ".weir" / "staging" / "stripe_main.duckdb"
    file.parent.mkdir(parents=True)
    return DuckStaging(file, CATALOGUE)


def account_of(project: Path) -> AccountStatus:
    _, (status,) = connection_status(Workspace.open(project), ["stripe_main"])
    assert status.size is not None
    (found,) = status.accounts
    return found


def followed(since: datetime = AS_OF, **changes: object) -> Changes:
    claim = EventClaim("", AS_OF + timedelta(hours=2), since)
    return Changes(events=(replace(claim, **changes),))  # type: ignore[arg-type]


def test_status_before_the_first_read_has_no_accounts(project: Path) -> None:
    _, (status,) = connection_status(Workspace.open(project), [])
    assert (status.name, status.size, status.accounts) == ("stripe_main", None, ())


def test_table_is_current_up_to_the_last_event(project: Path, staging: DuckStaging) -> None:
    staging.load([], [PART], utc_now(), followed())
    (table,) = account_of(project).tables
    assert (table.current_as_of, table.next_reread) == (AS_OF + timedelta(hours=2), None)
    assert (table.holes, table.partial, table.stale) == ((), False, False)


def test_table_read_before_its_events_is_stale(project: Path, staging: DuckStaging) -> None:
    staging.load([], [PART], utc_now(), followed(AS_OF + timedelta(hours=1), lost=AS_OF))
    found = account_of(project)
    assert found.tables[0].stale
    assert [(gap.since, gap.until) for gap in found.gaps] == [(AS_OF, AS_OF + timedelta(hours=2))]


def test_status_shows_holes_and_partial_tables(project: Path, staging: DuckStaging) -> None:
    windows = [
        PART,
        replace(PART, window=Window(2_000, 3_000)),
        replace(PART, table="invoices", window=Window(), where=PAID),
    ]
    staging.load([], windows, utc_now(), followed())
    customers, invoices = account_of(project).tables
    assert (customers.holes, customers.partial) == (((1_000, 2_000),), False)
    assert (invoices.holes, invoices.partial) == ((), True)


def test_next_full_read_follows_the_definition(project: Path, staging: DuckStaging) -> None:
    now = utc_now()
    staging.load([], [replace(PART, table="payment_intents")], now, followed())
    assert account_of(project).tables[0].next_reread == now + timedelta(days=1)
    file = project / "connections" / "stripe_main.yaml"
    file.write_text(file.read_text() + "reread: {payment_intents: 2h}\n")
    assert account_of(project).tables[0].next_reread == now + timedelta(hours=2)
    file.write_text(file.read_text().replace("2h", "never"))
    assert account_of(project).tables[0].next_reread is None


def test_status_lists_each_account(project: Path, staging: DuckStaging) -> None:
    staging.load([], [replace(PART, account="acct_1"), replace(PART, account="acct_2")], utc_now())
    _, (status,) = connection_status(Workspace.open(project), [])
    assert [each.account for each in status.accounts] == ["acct_1", "acct_2"]


def test_unknown_connection_is_refused(project: Path) -> None:
    with pytest.raises(RefusalError, match="no connection `strip_main`"):
        connection_status(Workspace.open(project), ["strip_main"])


def test_status_lists_an_optional_table_that_was_never_read(project: Path, staging: DuckStaging) -> None:
    file = project / "connections" / "stripe_main.yaml"
    file.write_text(file.read_text() + "optional: [reviews, customers]\n")
    staging.load([], [PART], utc_now(), followed())
    found = {table.name: table for table in account_of(project).tables}
    assert {name: (each.optional, each.stale) for name, each in found.items()} == {
        "customers": (True, False),
        "reviews": (True, True),
    }
    assert found["reviews"].current_as_of is None
