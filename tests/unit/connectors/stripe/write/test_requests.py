"""Planned writes become HTTP requests; each is checked against the SDK's source."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping

import pytest

from engine.connector import ConnectorError, FailureKind, Parameter, ParameterKind, WriteRequest
from engine.connectors.stripe.write import find_function, named_writes
from engine.connectors.stripe.write.requests import http_write
from tests.support.stripe.conformance import check_form, read_schemas

TEXTS: Mapping[ParameterKind, str] = {
    ParameterKind.TEXT: "x",
    ParameterKind.INTEGER: "7",
    ParameterKind.NUMBER: "0.5",
    ParameterKind.DECIMAL: "1.5",
    ParameterKind.BOOLEAN: "true",
    ParameterKind.MAP: "x",
}


def request(target: str, *parameters: tuple[str, str], of: str | None = None) -> WriteRequest:
    return WriteRequest("1", target, of, parameters)


def test_object_id_is_quoted_into_the_path() -> None:
    made = http_write(request("customers.update", ("name", "Ada"), ("metadata[a b]", ""), of="cus_1"))
    assert (made.method, made.path) == ("post", "/v1/customers/cus_1")
    assert made.params == (("name", "Ada"), ("metadata[a b]", ""))
    assert http_write(request("customers.delete", of="cus/1?x#é")).path == "/v1/customers/cus%2F1%3Fx%23%C3%A9"
    assert http_write(request("invoices.finalize", of="in_1")).path == "/v1/invoices/in_1/finalize"


def test_parents_of_an_object_are_parameters_of_the_path() -> None:
    target = next(name for name, each in named_writes().items() if each.above and each.object is not None)
    named = named_writes()[target]
    given = [(name, f"up_{n}") for n, name in enumerate(named.above)]
    made = http_write(request(target, *given, of="own_1"))
    assert made.params == ()
    assert [part for part in made.path.split("/") if "_" in part][-1] == "own_1"
    assert all(f"up_{n}" in made.path for n in range(len(given)))


def test_list_parameter_has_one_pair_for_each_value() -> None:
    made = http_write(request("customers.create", ("preferred_locales", json.dumps(["de", "en-GB"]))))
    assert made.params == (("preferred_locales[0]", "de"), ("preferred_locales[1]", "en-GB"))
    assert http_write(request("products.update", ("images", ""), of="prod_1")).params == (("images", ""),)
    assert http_write(request("prices.create", ("active", "true"), ("recurring[interval]", "day"))).params == (
        ("active", "true"),
        ("recurring[interval]", "day"),
    )


@pytest.mark.parametrize(
    "bad", [request("customers.praise"), request("customers.update"), request("customers.update", of="")]
)
def test_impossible_request_is_refused_as_a_mistake_in_weir(bad: WriteRequest) -> None:
    with pytest.raises(ConnectorError) as caught:
        http_write(bad)
    assert caught.value.failure.kind is FailureKind.REQUEST
    assert "mistake in Weir" in (caught.value.failure.hint or "")


def leaves(parameter: Parameter, path: str) -> Iterator[tuple[str, str]]:
    """The paths of all plain values below a parameter, with a value for each."""
    if parameter.kind is ParameterKind.OBJECT:
        for field in parameter.fields:
            yield from leaves(field, f"{path}[{field.name}]")
    elif parameter.kind is ParameterKind.ENUM and parameter.values:
        yield path, parameter.values[-1]
    elif parameter.kind is ParameterKind.MAP:
        yield f"{path}[key]", "x"
    elif parameter.kind is ParameterKind.LIST and parameter.item is not None:
        plain = TEXTS.get(parameter.item.kind)
        if plain is not None:
            yield path, json.dumps([plain, plain])
        elif parameter.item.kind is ParameterKind.OBJECT:
            yield from leaves(parameter.item, f"{path}[0]")
    elif parameter.kind in TEXTS:
        yield path, TEXTS[parameter.kind]


def needed(path: str, parameters: tuple[Parameter, ...]) -> bool:
    """Whether every object on the path is complete with this one value alone."""
    head, *rest = path.replace("]", "").split("[")
    here = next(each for each in parameters if each.name == head)
    for part in rest:
        if here.kind is ParameterKind.MAP:
            return True
        inner = here.fields if here.kind is ParameterKind.OBJECT else (here.item.fields if here.item else ())
        if here.kind is ParameterKind.LIST and part.isdigit():
            continue
        if any(each.required and each.name != part for each in inner):
            return False
        here = next(each for each in inner if each.name == part)
    return True


@pytest.mark.parametrize("table", sorted({each.table for each in named_writes().values()}))
def test_every_write_matches_a_method_of_the_sdk(table: str) -> None:
    schemas, chance = read_schemas(), random.Random(table)
    for name, named in named_writes().items():
        if named.table != table:
            continue
        function = find_function(name)
        assert function is not None
        taken = function.verb.parameters
        possible = [each for p in taken for each in leaves(p, p.name) if p.name not in named.above]
        possible = [each for each in possible if needed(each[0], taken)]
        given = [*((above, "up_1") for above in named.above), *chance.sample(possible, min(6, len(possible)))]
        made = http_write(request(name, *given, of="own_1" if named.object is not None else None))
        operation = schemas.find(made.method, made.path)
        assert operation is not None, made
        assert operation.path == named.write.path
        tops = {path.partition("[")[0] for path, _ in made.params}
        wrong = check_form([p for p in schemas.params(operation) if p.name in tops], made.params)
        assert wrong == [], (name, given)
        assert {p.name for p in taken if p.required} - set(named.above) == {
            p.name for p in schemas.params(operation) if p.required
        }
