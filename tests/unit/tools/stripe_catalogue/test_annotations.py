"""Shapes of annotations, in a package written for the test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from engine.connectors.stripe.catalogue import FieldType, FilterKind, ParamType
from tools.stripe_catalogue.parameters import read_filters, read_params
from tools.stripe_catalogue.resources import read_resources
from tools.stripe_catalogue.shapes import SdkShapes
from tools.stripe_catalogue.source import ClassRef, SdkSource

_WIDGET = '''
from stripe._gadget import Gadget

class Widget:
    OBJECT_NAME: ClassVar[Literal["widget"]] = "widget"

    class Part(StripeObject):
        gadget: ExpandableField["Gadget"]
        inner: Optional["Widget.Part"]

    class Rate(StripeObject):
        percent: float

    amount: int
    """
    How much.
    """
    created: int
    counted_from: Optional[int]
    """
    Measured in seconds since the Unix epoch.
    """
    deleted: Optional[Literal[True]]
    gadget: Optional[ExpandableField[Union["Gadget", "Widget"]]]
    id: str
    kind: Union[Literal["big", "small"], str]
    metadata: UntypedStripeObject[str]
    object: Literal["widget"]
    parts: List[Part]
    gadgets: Optional[ListObject["Gadget"]]
    price_decimal: Optional[Decimal]
    whole: "Gadget"
    _inner_class_types = {"parts": Part}
'''
_GADGET = """
class Gadget:
    OBJECT_NAME: ClassVar[Literal["gadget"]] = "gadget"
    id: str
    object: Literal["gadget"]
"""
_PARAMS = """
_Reserved = TypedDict("_Reserved", {"from": NotRequired["int"]})

class WidgetListParams(_Reserved):
    created: NotRequired["WidgetListParamsCreated|int"]
    ending_before: NotRequired[str]
    expand: NotRequired[List[str]]
    lookup_keys: NotRequired[List[str]]
    owner: "WidgetListParamsOwner"
    starting_after: NotRequired[str]
    status: NotRequired["Literal['open', 'shut']|str"]

class WidgetListParamsCreated(TypedDict):
    gt: NotRequired[int]
    lte: NotRequired[int]

class WidgetListParamsOwner(TypedDict):
    type: Literal["self"]
    name: NotRequired[str]

class WidgetCreateParams(TypedDict):
    amount: int
    description: NotRequired["Literal['']|str"]
    expand: NotRequired[List[str]]
    nested: NotRequired["Literal['']|WidgetCreateParamsNested"]
    tags: NotRequired["List[WidgetCreateParamsNested]"]

class WidgetCreateParamsNested(TypedDict):
    until: NotRequired["Literal['now']|int"]
    deeper: NotRequired["WidgetCreateParamsNested"]
"""


@pytest.fixture
def shapes(tmp_path: Path) -> SdkShapes:
    root = tmp_path / "stripe"
    (root / "params").mkdir(parents=True)
    (root / "_widget.py").write_text(_WIDGET)
    (root / "_gadget.py").write_text(_GADGET)
    (root / "params" / "_widget.py").write_text(_PARAMS)
    return SdkShapes(SdkSource(root))


def _params(shapes: SdkShapes, name: str) -> ClassRef:
    found = shapes.source.resolve("stripe.params._widget", name)
    assert found is not None
    return found


def test_a_resource_has_the_fields_of_its_class(shapes: SdkShapes) -> None:
    widget = read_resources(shapes)["widget"]
    assert {field.name: (field.type, field.nullable) for field in widget.fields} == {
        "amount": (FieldType.INTEGER, False),
        "counted_from": (FieldType.TIMESTAMP, True),
        "created": (FieldType.TIMESTAMP, False),
        "gadget": (FieldType.REFERENCE, True),
        "gadgets": (FieldType.SUBLIST, True),
        "id": (FieldType.TEXT, False),
        "kind": (FieldType.ENUM, False),
        "metadata": (FieldType.MAP, False),
        "object": (FieldType.ENUM, False),
        "parts": (FieldType.LIST, False),
        "price_decimal": (FieldType.DECIMAL, True),
        "whole": (FieldType.RESOURCE, False),
    }
    kind = widget.find("kind")
    gadget = widget.find("gadget")
    assert kind is not None
    assert kind.values == ("big", "small")
    assert gadget is not None
    assert gadget.targets == ("gadget", "widget")
    assert widget.deletable
    assert widget.expandable == ("gadget", "parts[].gadget")
    assert widget.sublists == {"gadgets": ("gadget",)}


def test_nested_filters_are_flattened(shapes: SdkShapes) -> None:
    filters, paging = read_filters(shapes, _params(shapes, "WidgetListParams"))
    assert paging == {"ending_before", "expand", "starting_after"}
    assert {each.param: (each.kind, each.type, each.required) for each in filters} == {
        "created": (FilterKind.RANGE, FieldType.INTEGER, False),
        "from": (FilterKind.VALUE, FieldType.INTEGER, False),
        "lookup_keys": (FilterKind.VALUES, FieldType.TEXT, False),
        "owner[name]": (FilterKind.VALUE, FieldType.TEXT, False),
        "owner[type]": (FilterKind.VALUE, FieldType.ENUM, True),
        "status": (FilterKind.VALUE, FieldType.ENUM, False),
    }


def test_a_write_has_the_parameters_of_its_class(shapes: SdkShapes) -> None:
    params = {param.name: param for param in read_params(shapes, _params(shapes, "WidgetCreateParams"))}
    assert list(params) == ["amount", "description", "nested", "tags"]
    assert params["amount"].required
    assert params["description"].type is ParamType.TEXT
    assert params["description"].unset
    assert params["nested"].unset
    until = next(field for field in params["nested"].fields if field.name == "until")
    assert {until.type, *(each.type for each in until.alternatives)} == {ParamType.ENUM, ParamType.INTEGER}
    deeper = next(field for field in params["nested"].fields if field.name == "deeper")
    assert deeper.fields == (), "a structure that contains itself is cut"
    assert params["tags"].item is not None
    assert params["tags"].item.type is ParamType.OBJECT


@pytest.mark.parametrize("text", ["Missing", "Mystery[int]", "stripe.Missing", "3 + 4", "lambda: 0"])
def test_an_unknown_annotation_is_an_error(shapes: SdkShapes, text: str) -> None:
    with pytest.raises(LookupError, match=r"stripe\._widget"):
        shapes.of(ast.parse(text, mode="eval").body, "stripe._widget")
