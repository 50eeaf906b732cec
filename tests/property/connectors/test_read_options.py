"""Read options of every strategy survive JSON, and the tag alone identifies the strategy."""

from __future__ import annotations

import json
from datetime import UTC
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.connector import Op, Predicate, Read, Window
from engine.connectors.stripe.catalogue import PageStyle
from engine.connectors.stripe.planning.read_options import (
    AccountEvents,
    Embedded,
    Follow,
    Gathering,
    Kept,
    Listed,
    ListedForParents,
    ListedForValues,
    NoRows,
    ParentParam,
    ParentRows,
    ReadOptions,
    Retrieved,
    Variant,
    decode_options,
    encode_options,
    options_of,
)

_numbers = st.integers(-(2**63), 2**63 - 1)
_texts = st.text(max_size=8)
_names = st.lists(_texts, max_size=3).map(tuple)
_maybe = st.none() | _numbers
_params = st.dictionaries(_texts, _texts, max_size=3)
_timestamps = st.datetimes(timezones=st.just(UTC)).map(lambda each: each.replace(fold=0))
_values = _texts | _numbers | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
_predicates = st.builds(Predicate, _texts, st.sampled_from(Op), st.lists(_values, max_size=3).map(tuple))
_where = st.lists(_predicates, max_size=2).map(tuple)
_variants = st.lists(
    st.builds(Variant, params=_params, window=st.builds(Window, _maybe, _maybe), where=_where), max_size=2
).map(tuple)
_follow = st.builds(
    Follow,
    payload=st.booleans(),
    version=_texts,
    path=_texts,
    params=_params,
    newer=_maybe,
    on_a_clock=st.booleans(),
    not_with=st.none() | _texts,
)
_param = st.builds(ParentParam, param=_texts, column=_texts, field=_texts, in_path=st.booleans())
_of_table = {"table": _texts, "expanded": _names}
_root = {**_of_table, "follow": st.none() | _follow, "carries": _names}
_list = {"path": _texts, "page": st.sampled_from(PageStyle), "variants": _variants}
_below = {
    **_of_table,
    **_list,
    "parent": st.builds(ParentRows, table=_texts, params=st.lists(_param, max_size=2).map(tuple)),
    "partial": st.booleans(),
    "gathering": st.none() | st.builds(Gathering, since=_timestamps, pages=_numbers, rows=_numbers),
}
_options = {
    NoRows: st.builds(NoRows, **_root),
    Kept: st.builds(Kept, **_root),
    Listed: st.builds(
        Listed,
        **_root,
        **_list,
        created=st.none() | _texts,
        newest_first=st.booleans(),
        limit=_maybe,
        ids=_names,
        retrieve=st.none() | _texts,
        continues=st.none() | _timestamps,
    ),
    Retrieved: st.builds(Retrieved, **_root, retrieve=_texts, ids=_names, where=_where),
    ListedForValues: st.builds(ListedForValues, **_of_table, **_list, param=_param, values=_names),
    ListedForParents: st.builds(ListedForParents, **_below),
    Embedded: st.builds(Embedded, **_below, field=_texts),
    AccountEvents: st.builds(
        AccountEvents,
        since=_maybe,
        settled=_maybe,
        looks_back=st.booleans(),
        applied=_names,
        lost=st.none() | _timestamps,
    ),
}


def test_every_read_strategy_is_covered() -> None:
    assert set(_options) == set(get_args(ReadOptions))


@pytest.mark.parametrize("kind", _options)
def test_read_options_survive_json(kind: type[ReadOptions]) -> None:
    @given(_options[kind])
    def survives(options: ReadOptions) -> None:
        encoded = encode_options(options)
        assert json.loads(json.dumps(encoded)) == encoded, "a plan equals itself when it is read"
        found = decode_options(encoded)
        assert type(found) is kind
        assert found == options
        assert repr(found) == repr(options), "1, 1.0 and true are different values"

    survives()


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"strategy": "list"},
        {"strategy": "new", "table": "charges"},
        {"strategy": "kept", "table": "charges", "path": "/v1/charges"},
    ],
)
def test_invalid_read_options_are_refused(value: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_options(value)


def test_read_of_events_has_no_table_options() -> None:
    read = Read("(changes)", (), (), (), "", options=encode_options(AccountEvents(since=5)))
    with pytest.raises(msgspec.ValidationError):
        options_of(read)
