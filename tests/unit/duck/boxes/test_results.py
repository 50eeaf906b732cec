"""Result files: spreadsheets and programs read back exactly the rows of the box."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.duck import fetch_rows, write_result
from engine.relation import Column, ColumnType, Relation
from engine.run import BoxResult
from tests.support.effort import examples

COLUMNS = (
    ("day", "date", "DATE '2026-01-02'"),
    ("at", "timestamp", "TIMESTAMP '2026-01-02 03:04:05.5'"),
    ("amount", "decimal(18,2)", "0.10::DECIMAL(18,2)"),
    ("ratio", "float", "'NaN'::DOUBLE"),
    ("tags", "text[]", "['a', 'b,c']"),
    ("address", "json", """'{"city": "Kyoto"}'::JSON"""),
    ("times", "timestamp[]", "[TIMESTAMP '2026-01-02 03:04:05']"),
    ("ratios", "float[]", "[1.5::DOUBLE, 'inf'::DOUBLE, NULL]"),
    ("empty", "text", "''"),
    ("nothing", "text", "NULL::VARCHAR"),
)


def saved(folder: Path, columns: tuple[tuple[str, str, str], ...]) -> BoxResult:
    path = folder / "result.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        select = ", ".join(f'{sql} AS "{name}"' for name, _, sql in columns)
        connection.execute(f"CREATE TABLE result AS SELECT {select}")
    relation = Relation(tuple(Column(name, ColumnType.parse(written)) for name, written, _ in columns))
    return BoxResult(path, relation, 1)


def test_json_result_is_valid_exact_and_nested(tmp_path: Path) -> None:
    write_result(saved(tmp_path, COLUMNS), tmp_path / "out.json", "json")

    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is no JSON")

    assert json.loads((tmp_path / "out.json").read_text(), parse_constant=refuse) == {
        "day": "2026-01-02",
        "at": "2026-01-02T03:04:05.5",
        "amount": "0.10",
        "ratio": None,
        "tags": ["a", "b,c"],
        "address": {"city": "Kyoto"},
        "times": ["2026-01-02T03:04:05"],
        "ratios": [1.5, None, None],
        "empty": "",
        "nothing": None,
    }


def test_csv_result_has_lists_as_json_and_distinguishes_null_from_empty(tmp_path: Path) -> None:
    write_result(saved(tmp_path, COLUMNS), tmp_path / "out.csv", "csv")
    text = (tmp_path / "out.csv").read_text()
    (row,) = csv.DictReader(text.splitlines())
    assert json.loads(row["tags"]) == ["a", "b,c"]
    assert json.loads(row["address"]) == {"city": "Kyoto"}
    assert (row["amount"], row["at"]) == ("0.10", "2026-01-02 03:04:05.5")
    assert text.rstrip("\n").endswith(',"",')


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1)


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_csv_result_reads_back_any_text_unchanged(tmp_path: Path, text: str) -> None:
    literal = "'" + text.replace("'", "''") + "'"
    result = saved(tmp_path, (("a", "text", literal), ("b", "text", "'end'")))
    assert fetch_rows(result, 1) == [(text, "end")]
    write_result(result, tmp_path / "out.csv", "csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        assert list(csv.reader(file)) == [["a", "b"], [text, "end"]]


def test_result_in_a_missing_folder_is_refused_with_its_name(tmp_path: Path) -> None:
    result = saved(tmp_path, COLUMNS[:1])
    with pytest.raises(OSError, match=r"there is no folder `.*nowhere`"):
        write_result(result, tmp_path / "nowhere" / "out.csv", "csv")
