"""Finding a parameter by its path."""

from __future__ import annotations

import pytest

from engine.connector import Entity, Parameter, ParameterKind, ParameterProblem, Shown, find_parameter, parameter_path

TEXT, OBJECT, LIST, MAP = ParameterKind.TEXT, ParameterKind.OBJECT, ParameterKind.LIST, ParameterKind.MAP
CITY = Parameter("city", TEXT)
PRICE = Parameter("", OBJECT, fields=(Parameter("price", TEXT), Parameter("tags", LIST, item=CITY)))
PARAMETERS = (
    Parameter("name", TEXT),
    Parameter("address", OBJECT, fields=(CITY,)),
    Parameter("items", LIST, item=PRICE),
    Parameter("any_items", LIST),
    Parameter("metadata", MAP, longest=500, longest_key=5, most=50),
    Parameter("prices", MAP, item=PRICE),
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("name", PARAMETERS[0]),
        ("address", PARAMETERS[1]),
        ("address[city]", CITY),
        ("items[0]", PRICE),
        ("items[12][price]", PRICE.fields[0]),
        ("items[0][tags][1]", CITY),
        ("any_items[0]", Parameter("0", ParameterKind.ANY)),
        ("metadata[a b.c]", Parameter("a b.c", TEXT, clears=True, longest=500)),
        ("metadata[äöüéß]", Parameter("äöüéß", TEXT, clears=True, longest=500)),
        ("prices[eur][price]", PRICE.fields[0]),
    ],
)
def test_find_parameter_returns_the_parameter_of_a_path(path: str, expected: Parameter) -> None:
    assert find_parameter(PARAMETERS, path) == expected


NO_NAMES = ("", "a[", "a]", "[a]", "a[]", "a[b]c", "a b", "a[[b]]")


@pytest.mark.parametrize(
    ("path", "message", "part"),
    [
        ("nmae", "no parameter `nmae`", "nmae"),
        ("address[town]", "no parameter `town` in `address`", "town"),
        ("items[0][prize]", "no parameter `prize` in `items[0]`", "prize"),
        ("items[first]", "`items` is a list: write `items[0]`", "first"),
        ("items[-1]", "`items` is a list: write `items[0]`", "-1"),
        ("name[first]", "`name` is text, it has no part `first`", "first"),
        ("metadata[a][b]", "`metadata[a]` is text, it has no part `b`", "b"),
        ("metadata[äöüéßx]", "the key `äöüéßx` has more than 5 characters", "äöüéßx"),
        *((path, f"`{path}` is no name of a parameter", path) for path in NO_NAMES),
    ],
)  # fmt: skip
def test_find_parameter_reports_the_wrong_part_of_a_path(path: str, message: str, part: str) -> None:
    found = find_parameter(PARAMETERS, path)
    assert isinstance(found, ParameterProblem)
    assert (found.message, found.part) == (message, part)


def test_find_parameter_reports_candidates() -> None:
    top, inner = find_parameter(PARAMETERS, "nmae"), find_parameter(PARAMETERS, "address[town]")
    assert isinstance(top, ParameterProblem)
    assert isinstance(inner, ParameterProblem)
    assert top.candidates == tuple(each.name for each in PARAMETERS)
    assert inner.candidates == ("city",)


def test_entity_shows_a_value_at_its_path() -> None:
    entity = Entity("things", shown={"address": Shown("address"), "city": Shown("place", ("town",))})
    assert entity.see("address") == Shown("address")
    assert entity.see("address[city]") == Shown("address", ("city",))
    assert entity.see("city[x]") == Shown("place", ("town", "x"))
    assert entity.see("name") is entity.see("address[0]") is None
    assert parameter_path("a[b c][0]") == ("a", "b c", "0")
