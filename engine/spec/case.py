"""`kind: test`: cases of an interface, each with what a run is given and what must come of it."""

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
    """A write that a step must plan. What is not named here is not compared."""

    do: Literal["create", "update", "replace", "retire", "call"] | None = Field(None, description="What is done.")
    object_: str | None = Field(
        None, alias="object", min_length=1, description="The id of the object that it acts on.", examples=["cus_1"]
    )
    key: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] | None = Field(
        None, min_length=1, description="What the row is matched by: its values in order, as text.", examples=[["c-1"]]
    )
    set_: dict[ParameterPath, str | int | float | bool | None] = Field(
        default_factory=dict,
        alias="set",
        description="Parameters that are sent, by path; nothing stands for an empty text, which takes a value away. "
        "The id of an object that the same run makes is `(step: key)`.",
        examples=[{"metadata[tier]": "gold"}],
    )


ExpectedWrites = Annotated[tuple[ExpectedWriteSpec, ...], BeforeValidator(as_tuple)]


class ExpectSpec(Model):
    """What must come of the run. What is not named here is not compared, but for failures and rejects: unless they are
    expected, there may be none."""

    schema_: dict[TableName, Rows] = Field(
        default_factory=dict,
        alias="schema",
        description="Table of the Schema to exactly the rows that it has afterwards, in any order. Of each row only "
        "the columns that are named are compared.",
        examples=[{"payments": [{"payment_id": "ch_1", "refunded_minor": 200}]}],
    )
    writes: dict[StepName, ExpectedWrites] = Field(
        default_factory=dict,
        description="Step (export or call) to exactly the writes that it plans, in any order.",
        examples=[{"push": [{"do": "update", "object": "cus_1", "set": {"metadata[tier]": "gold"}}]}],
    )
    respond: Rows | None = Field(
        None,
        description="Exactly the rows that an API caller gets, in any order; of each only the columns that are named.",
        examples=[[{"n": 1}]],
    )
    rejects: dict[StepName, Annotated[int, Field(ge=0)]] = Field(
        default_factory=dict,
        description="Step to how many rows it rejects. Default: none.",
        examples=[{"load": 1}],
    )
    fails: str | None = Field(
        None, min_length=1, description="The run must fail, and say this among other words.", examples=["does not fit"]
    )


class CaseSpec(Model):
    """One case: what there is, and what must come of it."""

    name: str = Field(min_length=1, description="What the case shows, in a few words.", examples=["a refund counts"])
    parameters: dict[ParameterName, str | int | float | bool | list[Any]] = Field(
        default_factory=dict,
        description="Parameters of the interface for this run. Default: as they are declared.",
        examples=[{"since": "2026-01-01T00:00:00Z"}],
    )
    given: dict[Name, dict[TableName, Rows]] = Field(
        default_factory=dict,
        description="Connection to table of its catalogue to rows, with the columns that a SQL box sees; `schema` to "
        "table to rows that it holds before the run. Columns that are not named are NULL, tables that are not named "
        "are empty. Instants are RFC 3339 texts or Unix seconds.",
        examples=[{"shop": {"charges": [{"id": "ch_1", "amount": 1000}]}}],
    )
    expect: ExpectSpec = Field(default_factory=ExpectSpec, description="What must come of it. Default: it succeeds.")


class SuiteSpec(Definition):
    """The cases of an interface. `weir test` runs them: without network, key or state."""

    kind: Literal["test"]
    interface: Name | None = Field(
        None, description="The interface. Default: the file's name without `.test.yaml`.", examples=["payments"]
    )
    cases: Annotated[tuple[CaseSpec, ...], BeforeValidator(as_tuple)] = Field(min_length=1, description="The cases.")
