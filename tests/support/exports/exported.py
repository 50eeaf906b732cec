"""A project that writes to a shop and runs like `weir run`, with given tables and the clock of the shop."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb

from engine.app.checking.check import Checked
from engine.app.running.plan import make_plan
from engine.app.running.world import RunOptions, opened_world
from engine.app.workspace import Workspace
from engine.connectors.stripe import CONNECTOR
from engine.plan import Plan, StepWrites
from engine.run import Op, World, execute_plan
from engine.run.outcome import Run
from engine.stores import open_write_ledger
from tests.support.exports.life import Life
from tests.support.mirror.shop import Shop

FAST: Final = {"first": 0.0005, "longest": 0.002, "tries": 5, "rate_seconds": 0.05}
CONNECTION: Final = """
kind: connection
name: shop
connector: stripe
is_source: true
is_target: true
client_secret: {{env: STRIPE_SECRET_KEY}}
base_url: {url}
limits: {{requests_per_second: 5000}}
grants: {{write: [customers, products, prices, coupons, customer_balance_transactions], moves_money: true}}
"""


@dataclass(frozen=True)
class Definitions:
    """A checked project and its plan: the same for every shop at one address."""

    checked: Checked
    plan: Plan
    columns: Mapping[str, Mapping[str, str]]


def define(folder: Path, url: str, interface: str, columns: Mapping[str, Mapping[str, str]]) -> Definitions:
    """Write the definitions, with a table of the Schema for each entry of `columns` (its first column is the key)."""
    for name in ("connections", "interfaces", "schemas"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "connections" / "shop.yaml").write_text(CONNECTION.format(url=url))
    (folder / "interfaces" / "sell.yaml").write_text(interface)
    for name, kinds in columns.items():
        lines = "".join(f"  {column}: {kind}\n" for column, kind in kinds.items())
        key = next(iter(kinds))
        (folder / "schemas" / f"{name}.yaml").write_text(f"kind: schema\nname: {name}\ncolumns:\n{lines}key: [{key}]\n")
    checked, plan = make_plan(Workspace.open(folder), (), {})
    return Definitions(checked, plan, columns)


class Exported:
    """A project's state in `folder`, and its runs against a shop."""

    def __init__(self, folder: Path, definitions: Definitions, shop: Shop) -> None:
        self.folder = folder
        self.shop = shop
        self._definitions = definitions
        self._workspace = Workspace.open(definitions.checked.tree.root).with_state(folder)
        self._ticks = itertools.count()
        folder.mkdir(parents=True, exist_ok=True)

    def now(self) -> datetime:
        """The shop's time; strictly increasing."""
        return datetime.fromtimestamp(self.shop.now, UTC) + timedelta(microseconds=next(self._ticks))

    def fill(self, tables: Mapping[str, Sequence[Sequence[Any]]]) -> None:
        """Replace the rows of the Schema's tables; a table may contain rows that its key would refuse."""
        with duckdb.connect(str(self._workspace.paths.tables)) as connection:
            for name, rows in tables.items():
                kinds = self._definitions.columns[name]
                shape = ", ".join(f'"{column}" {_sql(kind)}' for column, kind in kinds.items())
                connection.execute(f'CREATE OR REPLACE TABLE "{name}" ({shape})')
                if rows:
                    marks = ", ".join("?" for _ in kinds)
                    connection.executemany(f'INSERT INTO "{name}" VALUES ({marks})', [list(row) for row in rows])

    def run(
        self, *, life: Life | None = None, expected: Mapping[str, StepWrites] | None = None, only_plan: bool = False
    ) -> Run:
        """Run the project, or only plan it. The result of a run whose `life` ends is meaningless."""
        life = life or Life()
        checked, plan = self._definitions.checked, self._definitions.plan
        environment = {"STRIPE_SECRET_KEY": "sk_test_weir_sandbox"}
        options = RunOptions(
            False, environment, life.stop, recorded=not only_plan, only_plan=only_plan, expected=expected
        )
        with self._workspace as workspace, opened_world(workspace, checked, plan, options) as world:
            return execute_plan(plan, self._mortal(world, life), lambda _event: None)

    def _mortal(self, world: World, life: Life) -> World:
        exports = world.exports
        assert exports is not None

        def config(settings: Any) -> tuple[str, dict[str, Any]]:
            stage, found = world.extraction(settings)
            return stage, {**found, "secret": ["sandbox", ""], "retry": FAST}

        return replace(
            world,
            now=self.now,
            staging=lambda settings: life.wrap("staging", world.staging(settings)),
            extraction=config,
            tables=life.wrap("tables", world.tables),
            exports=replace(
                exports,
                ledger=life.wrap("ledger", exports.ledger),
                writer=lambda settings: CONNECTOR.writer(config(settings)[1]),
            ),
        )

    def ops(self) -> list[Op]:
        """All ops of the ledger, oldest first."""
        ledger = open_write_ledger(self._workspace.paths.runs)
        try:
            return list(reversed(ledger.ops(100_000)))
        finally:
            ledger.close()

    def outcomes(self, step: str) -> list[dict[str, Any]]:
        """The outcome of each row of a step, in the order of the box's rows."""
        return self._query(
            self._workspace.paths.staging("shop"), "SELECT * FROM weir.outcomes WHERE step = ? ORDER BY number", [step]
        )

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The rows of a table of the Schema."""
        return self._query(self._workspace.paths.tables, f'SELECT * FROM "{table}"', [])

    @staticmethod
    def _query(path: Path, sql: str, parameters: Sequence[Any]) -> list[dict[str, Any]]:
        with duckdb.connect(str(path), read_only=True) as connection:
            found = connection.execute(sql, list(parameters))
            names = [column[0] for column in found.description or ()]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _sql(kind: str) -> str:
    return {"text": "VARCHAR", "integer": "BIGINT"}.get(kind, kind)
