"""What goes in and out of the API: the bodies are checked by these models, and the OpenAPI document is made of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from engine.app.serving.input_rows import MOST_ROWS

NAME = r"^[a-z][a-z0-9_]{0,62}$"
RUN_ID = r"^[0-9]{8}-[0-9]{6}-[0-9a-f]{6}$"
STATUSES = ("waiting", "running", "succeeded", "failed", "stopped", "refused", "abandoned")
Status = Literal["waiting", "running", "succeeded", "failed", "stopped", "refused", "abandoned"]


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Problem(_Answer):
    """Why a request was not done (RFC 9457). `code` stays the same from version to version; `hint` says what to do."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    hint: str | None = None
    request_id: str
    run: str | None = Field(None, description="The run that it is about, if one has begun.")


class Health(_Answer):
    """The server answers."""

    status: Literal["ok"]


class Ready(_Answer):
    """Definitions are live, and runs can begin."""

    status: Literal["ready"]
    generation: int


class Pending(_Answer):
    """Definitions that are right and wait for `weir apply HASH`: the project is protected, and they put something at
    risk."""

    digest: str
    risks: list[str]
    since: datetime


class Generation(_Answer):
    """The definitions that new runs begin with. `held` are files that are not as they are on disk, because they are
    broken or touch what is; `fixed` are settings that count from the next start on."""

    number: int
    digest: str
    made: datetime
    interfaces: list[str]
    held: list[str]
    pending: Pending | None
    fixed: list[str]


class Reload(_Answer):
    """What a look at the files has come to. `errors` and `warnings` count the findings: see `/findings`."""

    generation: int | None
    is_new: bool
    added: list[str]
    changed: list[str]
    removed: list[str]
    held: list[str]
    pending: Pending | None
    fixed: list[str]
    errors: int
    warnings: int


class Accepted(_Answer):
    """It will be done."""

    status: Literal["accepted"]


class Region(_Answer):
    """Where something stands, counted from 1; the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int


class Finding(_Answer):
    """What is wrong with the definitions on disk, and what to do."""

    code: str
    severity: Literal["error", "warning", "note"]
    title: str
    message: str
    where: str = Field(description="`file:line:column`, or nothing.")
    place: Region | None
    hint: str | None


class Findings(_Answer):
    """All findings of the last look at the files, by place."""

    errors: int
    warnings: int
    findings: list[Finding]


class Parameter(_Answer):
    """A parameter of an interface."""

    type: str
    default: Any = None
    description: str | None = None


class Interface(_Answer):
    """An interface of the live generation. `rows_for` are the tables of the Schema that a run may be given rows for."""

    name: str
    description: str | None
    is_active: bool
    api: bool = Field(description="Whether the API may run it.")
    schedule: str | None
    due: datetime | None
    parameters: dict[str, Parameter]
    rows_for: dict[str, dict[str, str]]
    steps: list[str]


class Interfaces(_Answer):
    """All interfaces of the live generation."""

    generation: int
    interfaces: list[Interface]


class Plan(BaseModel):
    """What a run would do, as `weir plan --out` writes it."""

    model_config = ConfigDict(frozen=True, extra="allow")

    format_version: int
    hash: str
    interfaces: list[str]


Text = Annotated[str, StringConstraints(max_length=10_000)]
Column = Annotated[str, StringConstraints(pattern=NAME)]


class RunOrder(_Request):
    """What a run is to begin with. SQL and files are never taken."""

    parameters: dict[Column, Text | bool | int | float] = Field(
        default_factory=dict, max_length=100, description="Values of the interface's parameters."
    )
    rows: dict[Column, Annotated[list[dict[Column, Any]], Field(max_length=MOST_ROWS)]] = Field(
        default_factory=dict,
        max_length=20,
        description="By table of the Schema, the rows that it holds from then on. Only tables that the interface reads "
        "and no step writes; at most 10,000 rows together.",
    )
    wait: bool = Field(False, description="Whether to answer when the run is over, with what it responds.")


class Step(_Answer):
    """How a step of a run ended."""

    step: str
    kind: str
    status: Literal["succeeded", "failed", "skipped", "stopped"]
    started: datetime
    ended: datetime
    counts: dict[str, int]
    code: str | None = None
    message: str | None = None
    hint: str | None = None


class Response(_Answer):
    """What a `respond` step gives: its first rows. `rows` counts all of them."""

    step: str
    rows: int
    is_whole: bool
    data: list[dict[str, Any]]


class Run(_Answer):
    """A run. Those of another process have neither `generation` nor `exit_code`."""

    id: str
    interfaces: list[str]
    status: Status
    by: str
    generation: int | None = None
    ordered: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    counts: dict[str, int]
    exit_code: int | None = Field(None, description="What `weir run` would have ended with.")
    timed_out: bool = False
    message: str | None = None


class RunWithSteps(Run):
    """A run with its steps, and what it responds once it has succeeded."""

    steps: list[Step]
    responses: list[Response]


class Runs(_Answer):
    """The newest runs first."""

    runs: list[Run]
