"""Ledgerbook as Weir sees it. What is not here has the default of `engine.connector.Connector`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from engine.connector import (
    CheckReport,
    Connector,
    ConnectorError,
    Freshness,
    Mirror,
    Need,
    Pace,
    Probe,
    Read,
    SecretPattern,
    SourceCatalogue,
    Verdict,
    Writer,
)

from .catalogue import API_VERSION, CATALOGUE
from .client import Client
from .planning import PAGE_ROWS, plan_reads, refresh_reads
from .writer import LedgerbookWriter

_PATTERNS: Final = (SecretPattern("Ledgerbook API key", r"lb_(?:live|test)_"),)
_CURRENCIES: Final = {"eur": 2, "jpy": 0, "usd": 2}
_STARTER: Final = {
    "connections/ledgerbook_main.yaml": """\
# yaml-language-server: $schema=../schemas/connection.schema.json
kind: connection
name: ledgerbook_main
connector: ledgerbook
is_source: true
client_secret: {env: LEDGERBOOK_KEY}
sql: SELECT id, name, email FROM contacts ORDER BY created DESC LIMIT 20
""",
    "interfaces/contacts.yaml": """\
# yaml-language-server: $schema=../schemas/interface.schema.json
kind: interface
name: contacts
steps:
  - name: load
    import:
      connection: ledgerbook_main
      sql: SELECT id, name, email FROM contacts
      into: contacts
      action: upsert
""",
    "schemas/contacts.yaml": """\
# yaml-language-server: $schema=./schema.schema.json
kind: schema
name: contacts
columns:
  id: text
  name: text
  email: text
key: [id]
""",
}


class LedgerbookConnector(Connector):
    """The connector of Ledgerbook's API."""

    @property
    def name(self) -> str:
        """`ledgerbook`."""
        return "ledgerbook"

    @property
    def title(self) -> str:
        """`Ledgerbook`."""
        return "Ledgerbook"

    @property
    def category(self) -> str:
        """`Accounting`."""
        return "Accounting"

    @property
    def unused_fields(self) -> frozenset[str]:
        """Timestamps have one format, and a key has one book."""
        return frozenset({"datetime_format", "accounts"})

    @property
    def key_variable(self) -> str:
        """`LEDGERBOOK_KEY`."""
        return "LEDGERBOOK_KEY"

    @property
    def secret_patterns(self) -> tuple[SecretPattern, ...]:
        """The keys of both modes."""
        return _PATTERNS

    @property
    def page_rows(self) -> int:
        """The largest page."""
        return PAGE_ROWS

    @property
    def currencies(self) -> Mapping[str, int]:
        """Those in which accounts can be kept."""
        return _CURRENCIES

    @property
    def stage(self) -> str:
        """See `extract.extract`."""
        return "weir_ledgerbook.extract:extract"

    def catalogue(self, api_version: str | None) -> SourceCatalogue:
        """The one that there is. KeyError for another version."""
        if api_version not in (None, API_VERSION):
            raise KeyError(api_version)
        return CATALOGUE

    def starter(self) -> Mapping[str, str]:
        """Contacts into a table."""
        return _STARTER

    def plan_reads(self, needs: Sequence[Need]) -> tuple[Read, ...]:
        """See `planning.plan_reads`."""
        return plan_reads(needs)

    def refresh(self, reads: Sequence[Read], mirror: Mirror, pace: Pace) -> tuple[Read, ...]:
        """See `planning.refresh_reads`."""
        return refresh_reads(reads, mirror, pace)

    def freshness(self, table: str, reread: Mapping[str, float | None]) -> Freshness:
        """Every change is in the feed of changes. KeyError for an unknown table."""
        CATALOGUE.tables[table]
        return Freshness("changes", "every change is seen by the next run", reread.get(table), followed=True)

    def writer(self, config: Mapping[str, object]) -> Writer:
        """See `writer.LedgerbookWriter`."""
        return LedgerbookWriter(config)

    def check(self, config: Mapping[str, object], tables: Sequence[str]) -> CheckReport:
        """Ask whose key it is, and for one row of each table."""
        name = str(config.get("connection") or self.name)
        try:
            client = Client.of(config)
            began = time.perf_counter()
            book = client.get("/v1/book", "book").body
        except ConnectorError as error:
            probe = Probe("key", Verdict.FAILED, error.failure.message, failure=error.failure)
            return CheckReport(name, False, {}, (probe,))
        milliseconds = (time.perf_counter() - began) * 1_000
        facts = {"address": client.address, "book": book["id"], "mode": "live" if client.livemode else "test"}
        probes = [Probe("key", Verdict.OK, "the key is accepted", milliseconds)]
        for table in sorted({*tables}):
            try:
                client.get(f"/v1/{table}", table, limit=1)
                probes.append(Probe(table, Verdict.OK, "readable"))
            except ConnectorError as error:
                probes.append(Probe(table, Verdict.FAILED, error.failure.message, failure=error.failure))
        works = all(probe.verdict is not Verdict.FAILED for probe in probes)
        return CheckReport(name, works, facts, tuple(probes), client.sent)


CONNECTOR: Final = LedgerbookConnector()
