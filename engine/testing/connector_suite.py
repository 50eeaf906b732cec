"""What every `Connector` must do. Subclass it in a test module: `class TestMine(ConnectorSuite)` with `make`.

`make` returns the connector, `unreachable` a config whose address nobody listens at. All but the last test are offline.
"""

from __future__ import annotations

import msgspec
import pytest

from engine.connector import Connector, Need, Op, Predicate, SourceTable, Verdict

SYSTEM_COLUMNS = (
    "_account",
    "_livemode",
    "_api_version",
    "_read_at",
    "_changed_at",
    "_source",
    "_deleted_at",
    "_extra",
)


class ConnectorSuite:
    """The rules of the protocol in `engine.connector.protocol`."""

    def make(self) -> Connector:
        """The connector under test."""
        raise NotImplementedError

    def unreachable(self) -> dict[str, object]:
        """A config for `check` that leads to a closed port of this machine."""
        raise NotImplementedError

    def tables(self) -> list[SourceTable]:
        """The connector's tables, in order of name."""
        catalogue = self.make().catalogue(None)
        return [catalogue.tables[name] for name in sorted(catalogue.tables)]

    def test_the_catalogue_names_itself(self) -> None:
        connector = self.make()
        catalogue = connector.catalogue(None)
        assert catalogue.tables
        assert connector.catalogue(catalogue.api_version).tables.keys() == catalogue.tables.keys()
        assert all(name == table.name for name, table in catalogue.tables.items())

    def test_an_unknown_version_is_refused(self) -> None:
        with pytest.raises(KeyError):
            self.make().catalogue("1999-12-31")

    def test_every_table_has_distinct_columns_and_the_system_columns(self) -> None:
        for table in self.tables():
            names = [column.name.casefold() for column in table.relation]
            assert len(set(names)) == len(names), table.name
            assert table.relation.names[-len(SYSTEM_COLUMNS) :] == SYSTEM_COLUMNS, table.name

    def test_keys_filters_and_order_name_columns(self) -> None:
        for table in self.tables():
            columns = set(table.relation.names)
            assert table.key, table.name
            assert set(table.key) <= columns, table.name
            assert set(table.filters) <= columns, table.name
            assert table.created is None or table.created in columns, table.name

    def test_every_table_can_be_read_whole(self) -> None:
        connector = self.make()
        for table in self.tables():
            reads = {read.table: read for read in connector.plan_reads([Need(table.name, table.relation.names)])}
            assert reads[table.name].requests, table.name
            assert reads[table.name].why, table.name

    def test_reads_are_json_and_in_order_of_name(self) -> None:
        connector = self.make()
        reads = connector.plan_reads([Need(table.name, table.key) for table in self.tables()])
        names = [read.table for read in reads]
        assert names == sorted(set(names))
        assert msgspec.json.decode(msgspec.json.encode([read.options for read in reads]))

    def test_the_order_of_needs_does_not_matter(self) -> None:
        connector = self.make()
        needs = [Need(table.name, table.key) for table in self.tables()]
        assert connector.plan_reads(needs) == connector.plan_reads(needs[::-1])

    def test_a_need_for_no_row_asks_for_nothing(self) -> None:
        connector = self.make()
        table = self.tables()[0]
        reads = {read.table: read for read in connector.plan_reads([Need(table.name, table.key, ())])}
        assert reads[table.name].requests == ()

    def test_a_narrow_need_beside_a_wide_one_does_not_narrow_it(self) -> None:
        connector = self.make()
        for table in self.tables():
            if table.created is None:
                continue
            narrow = ((Predicate(table.created, Op.GE, (1_700_000_000,)),),)
            wide = connector.plan_reads([Need(table.name, table.key)])
            both = connector.plan_reads([Need(table.name, table.key, narrow), Need(table.name, table.key)])
            assert [read.requests for read in both] == [read.requests for read in wide], table.name

    def test_an_unreachable_provider_is_a_report(self) -> None:
        report = self.make().check(self.unreachable(), [])
        assert not report.ok
        failed = [probe for probe in report.probes if probe.verdict is Verdict.FAILED]
        assert failed
        assert failed[0].failure is not None
        assert failed[0].failure.hint
