"""No provider outside its connector: `engine` knows the protocol, and nothing of the systems behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.connector.installed import BUILT_IN

ROOT = Path(__file__).parents[2]
ENGINE = ROOT / "engine"
SUFFIXES = {".py", ".tmpl", ".sql", ".md", ".json"}

OWN = ("connectors/{name}/", "sandbox/")
"""Where a provider may be named: in its connector, and in what simulates it."""

LEGITIMATE = {
    "connector/installed.py": "the table of the built-in connectors",
    "diagnostics/codes/validate.py": "pages about mistakes show the definitions of the shipped project",
    "diagnostics/codes/resolve.py": "pages about mistakes show the definitions of the shipped project",
    "diagnostics/codes/compile.py": "pages about mistakes show the definitions of the shipped project",
    "diagnostics/codes/run.py": "pages about mistakes show the definitions of the shipped project",
    "diagnostics/codes/writing.py": "pages about mistakes show the definitions of the shipped project",
}


def mentions(name: str) -> set[str]:
    """The files of `engine` that name the provider in code, strings, docstrings or comments, outside `OWN`."""
    own = tuple(each.format(name=name) for each in OWN)
    paths = (path for path in ENGINE.rglob("*") if path.suffix in SUFFIXES)
    return {
        relative
        for path in paths
        if not (relative := path.relative_to(ENGINE).as_posix()).startswith(own)
        and (name in path.read_text(encoding="utf-8").casefold() or name in relative.casefold())
    }


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_provider_is_named_in_its_connector_only(name: str) -> None:
    assert mentions(name) - LEGITIMATE.keys() == set()


def test_every_exception_is_needed() -> None:
    assert LEGITIMATE.keys() == set().union(*(mentions(name) for name in BUILT_IN))


def test_the_forms_of_keys_are_contributed_by_connectors() -> None:
    """A pattern of a provider's keys in another place would be a second policy."""
    prefixes = ("sk_live", "whsec_", "rkcs_", "sk|rk")
    found = [
        f"{path.relative_to(ENGINE)}: {prefix}"
        for path in ENGINE.rglob("*.py")
        if not path.relative_to(ENGINE).as_posix().startswith(("connectors/", "sandbox/", "diagnostics/codes/"))
        for prefix in prefixes
        if prefix in path.read_text(encoding="utf-8")
    ]
    assert found == []
