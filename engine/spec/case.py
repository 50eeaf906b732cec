"""`kind: test`: test cases of an interface, each with the input of a run and its expected output."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints

from .base import NAME_PATTERN, Definition, Model, Name, as_tuple

Row = dict[str, Any]
Rows = Annotated[tuple[Row, ...], BeforeValidator(as_tuple)]
StepName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
TableName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
ParameterName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
ParameterPath = Annotated[str, StringConstraints(min_length=1)]


class ExpectedWriteSpec(Model):
    """A write that a step must plan. Keys that are not set are not compared."""

    do: Literal["create", "update", "replace", "retire", "call"] | None = Field(None, description="The operation.")
    object_: str | None = Field(
        None, alias="object", min_length=1, description="The id of the object that is written.", examples=["cus_1"]
    )
    key: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] | None = Field(
        None, min_length=1, description="The row's `match` values, in order, as text.", examples=[["c-1"]]
    )
    set_: dict[ParameterPath, str | int | float | bool | None] = Field(
        default_factory=dict,
        alias="set",
        description="Parameters that are sent, by path. Null is an empty text, which unsets a value. The id of an "
        "object that the same run creates is `(step: key)`.",
        examples=[{"metadata[tier]": "gold"}],
    )


ExpectedWrites = Annotated[tuple[ExpectedWriteSpec, ...], BeforeValidator(as_tuple)]


class ExpectSpec(Model):
    """The expected output of the run. Keys that are not set are not compared, except failures and rejects: unless they
    are expected, there must be none."""

    schema_: dict[TableName, Rows] = Field(
        default_factory=dict,
        alias="schema",
        description="Table of the Schema to exactly the rows that it contains afterwards, in any order. Only the named "
        "columns of each row are compared.",
        examples=[{"payments": [{"payment_id": "ch_1", "refunded_minor": 200}]}],
    )
    writes: dict[StepName, ExpectedWrites] = Field(
        default_factory=dict,
        description="Step (export or call) to exactly the writes that it plans, in any order.",
        examples=[{"push": [{"do": "update", "object": "cus_1", "set": {"metadata[tier]": "gold"}}]}],
    )
    respond: Rows | None = Field(
        None,
        description="Exactly the rows that an API caller receives, in any order. Only the named columns are compared.",
        examples=[[{"n": 1}]],
    )
    rejects: dict[StepName, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict,
        description="Step to the number of rows that it rejects. Default: none.",
        examples=[{"load": 1}],
    )
    fails: str | None = Field(
        None,
        min_length=1,
        description="The run must fail with a message that contains this text.",
        examples=["does not fit"],
    )


class CaseSpec(Model):
    """One test case: input, and expected output."""

    name: str = Field(
        min_length=1, description="What the test case verifies, in a few words.", examples=["a refund counts"]
    )
    parameters: dict[ParameterName, str | int | float | bool | list[Any]] = Field(
        default_factory=dict,
        description="Parameters of the interface for this run. Default: the declared defaults.",
        examples=[{"since": "2026-01-01T00:00:00Z"}],
    )
    given: dict[Name, dict[TableName, Rows]] = Field(
        default_factory=dict,
        description="Input rows: by connection and table of its catalogue, with the columns that a SQL box sees; under "
        "`schema`, by table, the rows that it contains before the run. Columns that are not named are NULL, tables "
        "that are not named are empty. Timestamps are RFC 3339 text or Unix seconds.",
        examples=[{"shop": {"charges": [{"id": "ch_1", "amount": 1000}]}}],
    )
    expect: ExpectSpec = Field(
        default_factory=ExpectSpec, description="The expected output. Default: the run succeeds."
    )


class SuiteSpec(Definition):
    """The test cases of an interface. `weir test` runs them without network, key or state."""

    kind: Literal["test"]
    interface: Name | None = Field(
        None, description="The interface. Default: the file's name without `.test.yaml`.", examples=["payments"]
    )
    cases: Annotated[tuple[CaseSpec, ...], BeforeValidator(as_tuple)] = Field(
        min_length=1, description="The test cases."
    )
