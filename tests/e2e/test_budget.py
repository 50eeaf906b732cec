"""A read budget on the command line: shown, kept, passed only with leave."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.support.processes.command import shipped_project, weir


def test_a_read_budget_from_plan_to_history(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    connection = project / "connections" / "stripe_main.yaml"
    connection.write_text(connection.read_text() + "limits: {read_budget: 3}\n")
    planned = weir(project, "plan", "customers_lifetime_value").succeeded()
    assert "read budget: requests: known after the first run; 0 of 3 used in the last 30 days\n" in planned.out

    stopped = weir(project, "run", "customers_lifetime_value")
    assert stopped.code == 6
    assert "the read budget of `stripe_main` is exhausted" in stopped.out + stopped.err
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
    assert budget["is_exceeded"] is True


def test_everything_that_is_asked_counts_and_has_a_line(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    connection = project / "connections" / "stripe_main.yaml"
    text = connection.read_text()
    connection.write_text(text + "limits: {read_budget: 10000}\n")

    def used() -> int:
        planned = weir(project, "plan", "payments", "--format", "json").succeeded()
        return int(json.loads(planned.out)["budgets"][0]["used"])

    weir(project, "test-connection").succeeded()
    tested = used()
    assert tested >= 3, "the account, events, and at least one table"

    first = weir(project, "run", "customers_lifetime_value", "payments", "--format", "text").succeeded()
    assert re.search(r"stripe_main\.account +1 request\n", first.out + first.err)
    assert "stripe_main.events" not in first.out + first.err, "a first run only notes when events begin"
    second = weir(project, "run", "customers_lifetime_value", "payments").succeeded()
    assert re.search(r"stripe_main\.events +1 request\n", second.out + second.err)
    runs = [json.loads(line) for line in weir(project, "runs", "--format", "json").succeeded().out.splitlines()]
    assert [(run["reads"][0]["events"], run["reads"][0]["account"]) for run in runs] == [(1, 1), (0, 1)]
    assert used() == tested + sum(run["reads"][0]["requests"] for run in runs)
    assert all(run["counts"]["requests"] == run["reads"][0]["requests"] for run in runs), "none was repeated"
    shown = weir(project, "runs", "show", runs[0]["id"]).succeeded().out
    assert [line.split()[0] for line in shown.splitlines()[-2:]] == ["stripe_main.events", "stripe_main.account"]

    planned = weir(project, "plan", "customers_lifetime_value", "payments", "--format", "json").succeeded()
    document = json.loads(planned.out)
    assert {each["what"]: each["estimate"]["requests"] for each in document["beside"]} == {"events": 1, "account": 1}
    assert abs(document["budgets"][0]["estimate"] - runs[0]["reads"][0]["requests"]) <= 2, "windows may be cut"


def test_a_comparison_says_before_what_it_takes_and_keeps_to_the_budget(tmp_path: Path) -> None:
    project = shipped_project(tmp_path / "project")
    weir(project, "run", "invoice_lines", "payments").succeeded()
    done = weir(project, "verify", "stripe_main").succeeded()
    assert done.err.startswith("this takes about ")
    told = json.loads(weir(project, "verify", "stripe_main", "--format", "json").succeeded().out)
    assert 0.6 * told["requests"] <= told["expected"] <= 1.2 * told["requests"]

    connection = project / "connections" / "stripe_main.yaml"
    text = connection.read_text()
    connection.write_text(text + "limits: {read_budget: 10000}\n")
    planned = json.loads(weir(project, "plan", "--format", "json").succeeded().out)
    budget = planned["budgets"][0]["used"] + told["expected"] // 2
    connection.write_text(text + f"limits: {{read_budget: {budget}}}\n")
    refused = weir(project, "verify", "stripe_main")
    assert refused.code == 6
    assert "(E627)" in refused.err
    assert "this takes about" not in refused.err, "nothing was begun"
    weir(project, "verify", "stripe_main", "--over-budget").succeeded()
