"""Slice reports survive JSON unchanged."""

from __future__ import annotations

import json
from datetime import UTC

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.connector import (
    Changes,
    Coverage,
    EventClaim,
    Failure,
    FailureKind,
    Gone,
    Identity,
    Op,
    Predicate,
    Renewed,
    SliceReport,
    SliceTotals,
    Window,
    decode_slice,
    decode_totals,
    encode_slice,
    encode_totals,
)

_numbers = st.integers(-(2**63), 2**63 - 1)
_texts = st.text(max_size=8)
_timestamps = st.datetimes(timezones=st.just(UTC)).map(lambda each: each.replace(fold=0))
_maybe_timestamps = st.none() | _timestamps
_names = st.lists(_texts, max_size=3).map(tuple)
_json = st.recursive(
    st.none() | st.booleans() | _numbers | _texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_texts, inner, max_size=2),
    max_leaves=4,
)
_values = _texts | _numbers | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
_predicates = st.builds(Predicate, _texts, st.sampled_from(Op), st.lists(_values, max_size=3).map(tuple))
_coverage = st.builds(
    Coverage,
    account=_texts,
    table=_texts,
    window=st.builds(Window, st.none() | _numbers, st.none() | _numbers),
    where=st.lists(st.lists(_predicates, max_size=2).map(tuple), max_size=2).map(tuple),
    as_of=_timestamps,
    strategy=_texts,
    api_version=_texts,
    pages=_numbers,
    rows=_numbers,
    complete=st.booleans(),
    expanded=_names,
    read_at=_maybe_timestamps,
    continues=_maybe_timestamps,
    carried=_names,
    gathered=st.booleans(),
)
_claims = st.builds(
    EventClaim,
    account=_texts,
    until=_timestamps,
    since=_maybe_timestamps,
    lost=_maybe_timestamps,
    applied=st.lists(st.tuples(_texts, _numbers), max_size=3).map(tuple),
    forget=_names,
    read_at=_maybe_timestamps,
    looks_back=st.booleans(),
)
_changes = st.builds(
    Changes,
    gone=st.lists(st.builds(Gone, _texts, _texts, _names), max_size=2).map(tuple),
    renewed=st.lists(st.builds(Renewed, _texts, _texts, _texts, _texts, _texts), max_size=2).map(tuple),
    events=st.lists(_claims, max_size=2).map(tuple),
    identity=st.none() | st.builds(Identity, _texts, st.none() | st.booleans()),
)
_failures = st.builds(
    Failure,
    kind=st.sampled_from(FailureKind),
    message=_texts,
    hint=st.none() | _texts,
    code=st.none() | _texts,
    status=st.none() | _numbers,
    table=st.none() | _texts,
)
_counts = st.dictionaries(_texts, _numbers, max_size=3)
_totals = st.builds(SliceTotals, _counts, _counts, _counts, st.none() | _texts)
_reports = st.builds(
    SliceReport,
    remaining=_json,
    coverage=st.lists(_coverage, max_size=2).map(tuple),
    changes=_changes,
    failures=st.lists(_failures, max_size=2).map(tuple),
    warnings=_names,
    totals=_totals,
)


@given(_reports)
def test_slice_report_survives_json(report: SliceReport) -> None:
    found = decode_slice(json.loads(json.dumps(encode_slice(report))))
    assert found == report
    assert repr(found.coverage) == repr(report.coverage), "1, 1.0 and true are different values"
    assert decode_slice(encode_slice(report)) == report, "nor does a process's own executor change it"


@given(_totals)
def test_slice_totals_survive_json(totals: SliceTotals) -> None:
    assert decode_totals(json.loads(json.dumps(encode_totals(totals)))) == totals


def test_absent_fields_of_a_slice_report_are_empty() -> None:
    assert decode_slice({}) == SliceReport()
    assert decode_totals({}) == SliceTotals()


@pytest.mark.parametrize("value", [None, [], "done", {"coverage": {}}, {"failures": [{"message": "no kind"}]}])
def test_invalid_slice_report_is_refused(value: object) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_slice(value)
