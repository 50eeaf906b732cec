"""The shape of the code base, where import-linter cannot say it: sizes, and which package may import which library."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "engine"
FILES = sorted(ENGINE.rglob("*.py"))
OURS = sorted([*FILES, *(ROOT / "tools").rglob("*.py")])

# A library is the business of one package (or of both front doors); everybody else reaches it through a protocol.
OWNERS = {
    "duckdb": {"duck"},
    "stripe": {"connectors"},
    "aiohttp": {"connectors"},
    "sqlalchemy": {"stores"},
    "starlette": {"api", "sandbox"},
    "uvicorn": {"api", "sandbox"},
    "watchfiles": {"app"},
    "jinja2": {"graph"},
    "yaml": {"source"},
}
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "manager", "misc"}


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text())


@cache
def imported(file: Path) -> frozenset[str]:
    """The first parts of all absolute imports in a module, lazy ones included."""
    names: set[str] = set()
    for node in ast.walk(parsed(file)):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return frozenset(names)


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_library_is_imported_by_its_one_package(library: str) -> None:
    strangers = [
        str(file.relative_to(ENGINE))
        for file in FILES
        if file.relative_to(ENGINE).parts[0] not in OWNERS[library] and library in imported(file)
    ]
    assert strangers == []


def test_no_file_is_longer_than_400_lines() -> None:
    long = {str(file.relative_to(ROOT)): n for file in OURS if (n := len(file.read_text().splitlines())) > 400}
    assert long == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = {
        f"{file.relative_to(ROOT)}:{node.name}": length
        for file in OURS
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or 0) - node.lineno + 1) > 60
    }
    assert long == {}


def test_no_module_has_a_name_without_meaning() -> None:
    assert [str(file) for file in OURS if file.stem in FORBIDDEN_NAMES or file.parent.name in FORBIDDEN_NAMES] == []


def test_every_public_function_and_class_has_a_docstring() -> None:
    missing = [
        f"{file.relative_to(ROOT)}:{node.lineno} {node.name}"
        for file in OURS
        for node in parsed(file).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
    ]
    assert missing == []


def test_connectors_do_not_import_each_other() -> None:
    connectors = [path.name for path in (ENGINE / "connectors").iterdir() if (path / "__init__.py").exists()]
    guilty = []
    for file in FILES:
        parts = file.relative_to(ENGINE).parts
        if parts[0] != "connectors" or len(parts) < 3:
            continue
        text = file.read_text()
        guilty += [
            f"{file}: {other}" for other in connectors if other != parts[1] and f"engine.connectors.{other}" in text
        ]
    assert guilty == []


def test_help_imports_none_of_the_heavy_libraries() -> None:
    """`weir --help` is the first thing a person types: it must not pay for engines that it does not start."""
    program = (
        "import sys\n"
        "from engine.cli import main\n"
        "sys.argv = ['weir', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('loaded:', *sorted(set(sys.modules) & set(sys.stdin.read().split())))"
    )
    heavy = "duckdb stripe aiohttp sqlalchemy starlette uvicorn watchfiles jinja2 pydantic msgspec asyncio yaml"
    done = subprocess.run([sys.executable, "-c", program], input=heavy, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].strip() == "loaded:"
    assert "Usage" in done.stdout
