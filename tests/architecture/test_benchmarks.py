"""The figures in `docs/benchmarks.md` are those in `benchmarks/results`, and the README repeats them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")


def result(name: str) -> dict[str, Any]:
    """What a benchmark measured when it last ran."""
    found: dict[str, Any] = json.loads((ROOT / "benchmarks/results" / f"{name}.json").read_text(encoding="utf-8"))
    return found


def cells(row: str) -> list[str]:
    """The cells of the page's row that begins with this text, after the first."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {row}")]
    return [cell.strip() for cell in line.strip("|").split("|")][1:]


def rounded(value: float, cell: str) -> bool:
    """Whether the cell is the value, rounded to as many decimals as it shows."""
    shown = cell.replace(",", "")
    return f"{value:.{len(shown.partition('.')[2])}f}" == shown


def test_loads() -> None:
    ways = {each["way"]: each for each in result("load")["ways"]}
    for row, way in {
        "floor: aiohttp": "floor, six columns",
        "**Weir to staging**": "Weir to staging",
        "**Weir to the Schema**": "Weir to the Schema",
        "the floor script": "floor, keeping the raw objects",
        "the same with a cursor": "the same, cursor by the json module",
        "dlt": "dlt, REST source, tuned",
        "the SDK's": "SDK auto-paging",
    }.items():
        keys = ("cpu_us_per_row", "ratio_to_raw", "ratio_to_raw_json", "peak_mb")
        shown = zip(keys, cells(row), strict=True)
        assert [(key, cell) for key, cell in shown if not rounded(ways[way][key], cell)] == [], way


def test_growth() -> None:
    measured = result("growth")["ways"]
    for each in measured:
        first = 0 if each["way"] == "Weir to staging" else 2
        cpu, peak = cells(f"{each['rows']:,} |")[first : first + 2]
        assert rounded(each["cpu_seconds"], cpu), each
        assert rounded(each["peak_mb"], peak), each


def test_second_runs() -> None:
    names = {"first": "first", "1.0 % new, 0.5 % changed": "after 1 %", "nothing happened": "nothing happened"}
    for number, size in enumerate(result("second")["sizes"]):
        for run in size["runs"]:
            name = next(row for key, row in names.items() if run["run"].replace("%", " %").replace("  ", " ") == key)
            requests, cpu = cells(name)[2 * number : 2 * number + 2]
            assert rounded(run["requests"], requests), run
            assert rounded(run["cpu_seconds"], cpu), run


def test_rates() -> None:
    cases = {each["case"]: each for each in result("rates")["cases"]}
    assert cells("one list, no limit") == [
        f"{cases['one list, no limit']['times_cursor']:.0f} times as fast as a single cursor"
    ]
    assert cells("two lists, no limit") == [f"{cases['two lists, no limit']['times_cursor'] / 2:.0f} times each"]
    for row, case in {
        "two lists, 100 requests a second in total, limit found": "two lists, 100/s in all, found",
        "two lists, 100 requests a second in total, limit configured": "two lists, 100/s in all, said",
        "one list, 25 requests a second for a list, limit found": "one list, 25/s a list, found",
        "one list, 25 requests a second for a list, limit configured": "one list, 25/s a list, said",
    }.items():
        (shown,) = cells(row)
        assert shown.split(" %")[0] == cases[case]["of_goal"].rstrip("%"), case


def test_sentences() -> None:
    text = " ".join(PAGE.split())
    imports = {(each["import"], each["way"]): each["step_ratio"] for each in result("imports")["imports"]}
    assert f"takes {imports['all', 'Weir']:.1f} times as long" in text
    assert f"after 10,000 changes, {imports['10,000 changed', 'Weir']:.1f} times" in text
    exports = result("exports")
    assert f"reach {exports['creates']['of_limit']:.1%}".replace("%", " %") in text
    planning = exports["planning"]
    assert f"takes {planning['cpu_seconds']:.1f} s of CPU and {planning['peak_mb']} MB" in text
    assert f"validate in {result('definitions')['validate_cpu_seconds']:.1f} s of CPU" in text
    assert f"is live after {result('reload')['edit_cpu_seconds']:.1f} s of CPU" in text
    looks = {each["runs"]: each["mb"] for each in result("soak")["looks"]}
    assert f"{looks[500]:.0f} MB after 500 runs and {looks[1000]:.0f} MB after 1,000" in text
    assert all(result(name)["date"] in text for name in ("load", "growth", "second", "rates", "imports", "exports"))


def test_the_readme_repeats_what_was_measured() -> None:
    ways = {each["way"]: each for each in result("load")["ways"]}
    weir, script = ways["Weir to staging"], ways["floor, keeping the raw objects"]
    text = " ".join(README.split())
    assert f"takes {weir['ratio_to_raw']:.2f} times the CPU of a hand-written script" in text
    assert "a quarter of its memory" in text
    assert 0.2 < weir["peak_mb"] / script["peak_mb"] < 0.3
