"""A read budget on the command line: shown, kept, passed only with leave."""

from __future__ import annotations

import json
from pathlib import Path

from .command import shipped_project, weir


def test_a_read_budget_from_plan_to_history(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    connection = project / "connections" / "stripe_main.yaml"
    connection.write_text(connection.read_text() + "limits: {read_budget: 3}\n")
    planned = weir(project, "plan", "customers_lifetime_value").succeeded()
    assert "read budget: requests: known after the first run; 0 of 3 used in the last 30 days\n" in planned.out

    stopped = weir(project, "run", "customers_lifetime_value")
    assert stopped.code == 6
    assert "the read budget of `stripe_main` is spent" in stopped.out + stopped.err
    assert "--over-budget" in stopped.out + stopped.err

    refused = weir(project, "run", "customers_lifetime_value")
    assert refused.code == 6
    assert "(E627)" in refused.err
    assert "--over-budget" in refused.err
    asked = weir(project, "query", "stripe_main", "SELECT id FROM products")
    assert asked.code == 6
    assert "--over-budget" in asked.err
    assert weir(project, "verify", "stripe_main").code == 6

    weir(project, "run", "customers_lifetime_value", "--over-budget").succeeded()
    last, first = map(json.loads, weir(project, "runs", "--format", "json").succeeded().out.splitlines())
    (reads,) = first["reads"]
    assert reads["connection"] == "stripe_main"
    assert 3 <= reads["requests"] == reads["used"]
    assert reads["budget"] == 3
    shown = json.loads(weir(project, "runs", "show", last["id"], "--format", "json").succeeded().out)
    (later,) = shown["reads"]
    assert later["used"] == reads["used"] + later["requests"]
    text = weir(project, "runs", "show", last["id"]).succeeded().out
    assert "limited (429)" in text
    assert str(later["used"]) in text
    planned = weir(project, "plan", "customers_lifetime_value", "--format", "json").succeeded()
    (budget,) = json.loads(planned.out)["budgets"]
    assert budget["used"] == later["used"]
    assert budget["is_passed"] is True
