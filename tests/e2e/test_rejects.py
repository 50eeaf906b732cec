"""Rows that do not fit are left out, said, and can be looked at."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.processes.command import weir


def test_rejected_rows_are_shown_until_the_step_takes_them(tmp_path: Path) -> None:
    weir(tmp_path, "init", ".").succeeded()
    nothing = weir(tmp_path, "runs", "rejects").succeeded()
    assert (nothing.out, nothing.err) == ("", "no rows were rejected\n")
    interface, schema = tmp_path / "interfaces" / "customers.yaml", tmp_path / "schemas" / "customers.yaml"
    sound = interface.read_text(), schema.read_text()
    interface.write_text(sound[0].replace("created_at: created", "created_at: email"))
    schema.write_text(sound[1].replace("created_at: timestamp", "created_at: integer"))
    summary = weir(tmp_path, "run").succeeded().out
    assert "rows do not fit `customers` and were left out" in summary
    assert "use `weir runs rejects` to list more" in summary
    shown = weir(tmp_path, "runs", "rejects", "--limit", "2").succeeded().out.splitlines()
    assert shown[0].split() == ["step", "row", "column", "problem"]
    assert "is not an integer of 64 bits" in shown[2]
    assert len(shown) == 4
    for line in weir(tmp_path, "runs", "rejects", "--format", "json").succeeded().out.splitlines():
        reject = json.loads(line)
        assert (reject["step"], reject["table"], reject["column"]) == ("customers.load", "customers", "created_at")
        assert reject["row"]["id"] == reject["key"]["customer_id"]
    interface.write_text(sound[0].replace("created_at: created", 'created_at: {expr: "epoch(created)"}'))
    weir(tmp_path, "run").succeeded()
    assert weir(tmp_path, "runs", "rejects").succeeded().out == ""
