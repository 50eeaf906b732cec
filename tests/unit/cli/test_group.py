"""The table of verbs agrees with the verbs."""

from __future__ import annotations

import click
import pytest

from engine.app.errors import Exit
from engine.cli.group import VERBS, describe_verbs, weir
from engine.cli.session import Session, parameter_values


def test_every_verb_loads_and_has_a_help_text() -> None:
    context = click.Context(weir)
    for name in VERBS:
        found = weir.get_command(context, name)
        assert found is not None
        assert found.name == name
        assert found.help, name


def test_every_option_has_a_help_text() -> None:
    described = describe_verbs()
    assert set(described) == set(VERBS)
    plain = {"--format"}
    missing = [
        (verb, parameter["name"])
        for verb, facts in described.items()
        for parameter in facts["params"]
        if parameter["param_type_name"] == "option" and not parameter["help"] and not plain & set(parameter["opts"])
    ]
    assert missing == []


def test_parameter_values_accepts_only_unique_name_value_pairs() -> None:
    assert parameter_values(("a=1", "b=x=y", "c=")) == {"a": "1", "b": "x=y", "c": ""}
    for wrong in (("a",), ("=1",), ("a=1", "a=2")):
        with pytest.raises(click.UsageError):
            parameter_values(wrong)


@pytest.mark.parametrize(
    ("environment", "colour", "expected"),
    [
        ({}, None, None),
        ({"NO_COLOR": "1"}, None, False),
        ({"NO_COLOR": ""}, None, None),
        ({"NO_COLOR": "1"}, True, True),
        ({"TERM": "dumb"}, None, False),
    ],
)
def test_colour_follows_the_option_and_no_color(
    environment: dict[str, str], colour: bool | None, expected: bool | None
) -> None:
    assert Session.of(None, colour, environment).colour is expected


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("1", True), ("false", False), ("0", False), ("", False)]
)
def test_session_recognises_ci_by_its_variable(value: str, expected: bool) -> None:
    assert Session.of(None, None, {"CI": value}).in_ci is expected


def test_exit_codes_have_the_documented_values() -> None:
    assert [int(code) for code in Exit] == [0, 1, 2, 3, 4, 5, 6, 7, 64, 130]
