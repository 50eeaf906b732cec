"""The locks pin and hash everything that `pyproject.toml` requires, and nothing that ties them to one machine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
RUNTIME: Final = "requirements.lock"
DEVELOPMENT: Final = "requirements-dev.lock"
BUILD: Final = "requirements-build.lock"
OLDEST_DUCKDB: Final = "requirements-duckdb-1.5.5.lock"
PIN = re.compile(r"[a-z0-9][a-z0-9.-]*==[a-z0-9.+!]+ \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
# pip-compile writes it above the pins of pip and setuptools.
NOTE: Final = "# The following packages are considered to be unsafe in a requirements file:"
STALE: Final = "stale: run `make lock`"


def pins(lock: str) -> dict[str, str]:
    """The version of each package in a lock."""
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    return dict(line.removesuffix(" \\").split("==") for line in lines if PIN.fullmatch(line))


def unmet(requirements: list[str], lock: str) -> list[str]:
    """The requirements that no pin of the lock satisfies."""
    pinned = pins(lock)
    return [
        text
        for text in requirements
        if (each := Requirement(text)).marker is None or each.marker.evaluate()
        if canonicalize_name(each.name) not in pinned or pinned[canonicalize_name(each.name)] not in each.specifier
    ]


@pytest.fixture(scope="module")
def declared() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("lock", [RUNTIME, DEVELOPMENT, BUILD, OLDEST_DUCKDB])
def test_a_lock_holds_pins_with_hashes_and_nothing_else(lock: str) -> None:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not (PIN.fullmatch(line) or HASH.fullmatch(line) or line in ("", NOTE))] == []
    assert [
        line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
        if line.endswith("\\") is not bool(HASH.fullmatch(following))
    ] == [], "each pin needs a hash, and each hash follows a pin"
    assert pins(lock)


def test_the_runtime_lock_satisfies_the_dependencies(declared: dict[str, Any]) -> None:
    assert unmet(declared["project"]["dependencies"], RUNTIME) == [], STALE


def test_the_development_lock_satisfies_the_extras_that_tests_need(declared: dict[str, Any]) -> None:
    extras = declared["project"]["optional-dependencies"]
    assert unmet([*extras["dev"], *extras["postgresql"]], DEVELOPMENT) == [], STALE


def test_the_build_lock_satisfies_the_build_requirements(declared: dict[str, Any]) -> None:
    assert unmet(declared["build-system"]["requires"], BUILD) == [], STALE


@pytest.mark.parametrize("lock", [RUNTIME, BUILD])
def test_the_development_lock_has_the_pins_of_the_other_locks(lock: str) -> None:
    assert pins(lock).items() <= pins(DEVELOPMENT).items(), STALE


def test_the_lock_of_the_oldest_duckdb_pins_the_lower_bound(declared: dict[str, Any]) -> None:
    (duckdb,) = [each for each in map(Requirement, declared["project"]["dependencies"]) if each.name == "duckdb"]
    (lower,) = [each.version for each in duckdb.specifier if each.operator == ">="]
    assert pins(OLDEST_DUCKDB) == {"duckdb": lower}
