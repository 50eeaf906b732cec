"""`kind: interface`: a flow between a connection and the Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from engine.relation import ColumnType

from .base import NAME_PATTERN, Definition, Duration, Model, Name, Sql, as_tuple
from .schedule import RetrySpec, ScheduleSpec
from .schema import TypeText

STEP_KINDS = ("import", "transform", "export", "call", "stop_if", "respond")
ImportAction = Literal["insert", "update", "delete", "upsert", "replace"]
ExportAction = Literal["insert", "update", "delete", "upsert"]
SchemaColumn = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
ColumnText = Annotated[str, StringConstraints(min_length=1)]
SqlFile = Annotated[str, StringConstraints(pattern=r"^[^\\:\x00]+\.sql$")]


class MapSpec(Model):
    """How a column gets its value: `from` a column of the box, or by an `expr` over the box's row."""

    source: str | None = Field(
        None, alias="from", min_length=1, description="A column that the SQL box yields.", examples=["email"]
    )
    expr: str | None = Field(
        None,
        min_length=1,
        description="A SQL expression over the columns that the box yields.",
        examples=["upper(email)"],
    )
    default: str | int | float | bool | None = Field(None, description="Replaces a missing value.")
    skip_if_empty: bool = Field(False, description="A missing or empty value leaves what the row has.")

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if self.source is not None and self.expr is not None:
            raise PydanticCustomError("map_origin", "expected either `from` or `expr`, not both")
        if self.source is None and self.expr is None and self.default is None:
            raise PydanticCustomError("map_origin", "expected `from`, `expr` or `default`")
        return self


def _mapped(value: Any) -> Any:
    return {"from": value} if isinstance(value, str) else value


MapEntry = Annotated[MapSpec, BeforeValidator(_mapped, json_schema_input_type=ColumnText | MapSpec)]


class WriteMapSpec(MapSpec):
    """How a parameter gets its value: as a column does, or the id of what an earlier export step has written."""

    ref: Name | None = Field(
        None,
        description="An export step before this one in the same interface: `from` names the column with what that step "
        "matches by, and the value is the id of the object that it has written for it.",
        examples=["products"],
    )

    @model_validator(mode="after")
    def _ref_from(self) -> Self:
        if self.ref is not None and self.source is None:
            raise PydanticCustomError("map_ref", "expected `from` beside `ref`: a column of the SQL box")
        return self


WriteMapEntry = Annotated[WriteMapSpec, BeforeValidator(_mapped, json_schema_input_type=ColumnText | WriteMapSpec)]


class BoxSpec(Model):
    """A SQL box: in place, or in a file beside the interface."""

    sql: Sql | None = Field(
        None,
        description="The SQL box: one SELECT, a Jinja2 template.",
        examples=["SELECT id, email, created FROM customers"],
    )
    sql_file: SqlFile | None = Field(
        None, description="A .sql file beside this one that holds the SQL box.", examples=["customers.sql"]
    )

    @model_validator(mode="after")
    def _one_box(self) -> Self:
        if self.sql is not None and self.sql_file is not None:
            raise PydanticCustomError("two_boxes", "expected either `sql` or `sql_file`, not both")
        return self


class RequiredBoxSpec(BoxSpec):
    """A SQL box that cannot be left out."""

    @model_validator(mode="after")
    def _has_box(self) -> Self:
        _demand_box(self)
        return self


def _demand_box(box: BoxSpec) -> None:
    if box.sql is None and box.sql_file is None:
        raise PydanticCustomError("no_box", "expected `sql` or `sql_file`")


_MATCH = "Which rows are the same: Schema column to source column. Default: the table's key, by equal names."
_MAP = "Schema column to source column, or to {from, expr, default, skip_if_empty}. `auto`: all equal names."
_MAP_EXAMPLES = ["auto", {"customer_id": "id", "email": {"from": "email", "skip_if_empty": True}}]
_ACTION = (
    "What is done with the table's rows: insert new ones, update or delete those that match, upsert (update or "
    "insert), or replace all of them."
)


class WriteSpec(Model):
    """Where a box's rows go, in the Schema."""

    into: Name = Field(description="The table of the Schema that is written.", examples=["customers"])
    action: ImportAction = Field("upsert", description=_ACTION)
    match: dict[SchemaColumn, ColumnText] | None = Field(
        None, min_length=1, description=_MATCH, examples=[{"customer_id": "id"}]
    )
    map: Literal["auto"] | dict[SchemaColumn, MapEntry] = Field("auto", description=_MAP, examples=_MAP_EXAMPLES)


class ImportSpec(BoxSpec, WriteSpec):
    """From a connection to the Schema."""

    connection: Name = Field(description="The connection that is read.")


class TransformSpec(RequiredBoxSpec, WriteSpec):
    """From the Schema to the Schema."""


class CapsSpec(Model):
    """Bounds of an export: it stops before its first write when it would pass one."""

    max_writes: int | None = Field(None, ge=0, description="Writes in one run.")
    max_deletes: int | None = Field(
        None, ge=0, description="Objects that are deleted, archived, canceled, voided or detached in one run."
    )
    max_error_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="The share of writes that may fail: beyond it, and after 20 writes, no more are sent.",
    )


class ExportSpec(BoxSpec):
    """From the Schema to a connection."""

    source: Name | None = Field(
        None, alias="from", description="The table of the Schema that is read; `sql` may shape it."
    )
    connection: Name = Field(description="The connection that is written.")
    entity: Name = Field(description="The entity that is written there.", examples=["customers"])
    action: ExportAction = Field("upsert", description="What is done with the entity.")
    match: dict[ColumnText, ColumnText] = Field(
        min_length=1,
        description="Which object a row means: `id`, `lookup_key`, `metadata[…]` or another parameter that objects "
        "show, to source column.",
        examples=[{"metadata[customer_number]": "customer_number"}],
    )
    map: dict[ColumnText, WriteMapEntry] = Field(
        default_factory=dict, description="Parameter (`metadata[tier]`) to source column.", examples=[{"name": "name"}]
    )
    on_missing: Literal["keep", "delete", "archive", "cancel", "void", "detach"] = Field(
        "keep", description="What happens to an object whose row is gone."
    )
    caps: CapsSpec = Field(default_factory=CapsSpec, description="Bounds of the export.")

    @model_validator(mode="after")
    def _has_rows(self) -> Self:
        if self.source is None:
            _demand_box(self)
        return self


class CallSpec(RequiredBoxSpec):
    """Run a function of a connection per row, and import what it answers (Export/Import)."""

    connection: Name = Field(description="The connection whose function is called.")
    function: str = Field(pattern=r"^[a-z_]+(\.[a-z_]+)+$", description="The function.", examples=["invoices.finalize"])
    parameters: dict[ColumnText, WriteMapEntry] = Field(
        default_factory=dict,
        description="Parameter to source column; `id` is the object that the function acts on. Default: the column "
        "`id`.",
        examples=[{"id": "invoice_id"}],
    )
    key: Annotated[tuple[ColumnText, ...], BeforeValidator(as_tuple)] = Field(
        (),
        description="Source columns that tell one call from another: for the same values the function is never called "
        "a second time. Default: all that the call is made with.",
        examples=[["refund_request_id"]],
    )
    caps: CapsSpec = Field(default_factory=CapsSpec, description="Bounds of the calls.")
    into: Name | None = Field(None, description="The table of the Schema that takes the answers.")
    action: ImportAction = Field("upsert", description=_ACTION)
    match: dict[SchemaColumn, ColumnText] | None = Field(
        None, min_length=1, description=_MATCH, examples=[{"customer_id": "id"}]
    )
    map: Literal["auto"] | dict[SchemaColumn, MapEntry] = Field("auto", description=_MAP, examples=_MAP_EXAMPLES)


class RespondSpec(RequiredBoxSpec):
    """What an API caller of the interface gets back."""


class StepSpec(Model):
    """One step: exactly one of `import`, `transform`, `export`, `call`, `stop_if`, `respond`."""

    name: Name | None = Field(None, description="The step's name, unique in its interface. Default: kind and number.")
    import_: ImportSpec | None = Field(None, alias="import", description="From a connection to the Schema.")
    transform: TransformSpec | None = Field(None, description="From the Schema to the Schema.")
    export: ExportSpec | None = Field(None, description="From the Schema to a connection.")
    call: CallSpec | None = Field(None, description="A function of a connection, per row; its answers are imported.")
    stop_if: Sql | None = Field(
        None,
        description="A query with one boolean: true ends the interface here, successfully.",
        examples=["SELECT count(*) = 0 FROM customers"],
    )
    respond: RespondSpec | None = Field(None, description="What an API caller gets back.")
    on_error: Literal["stop", "continue"] = Field(
        "stop", description="What a failure of this step does to those after it."
    )
    on_empty: Literal["continue", "stop"] = Field(
        "continue", description="What a box without rows does to the steps after it."
    )
    snapshot: bool = Field(False, description="Keep the table as it is after this step, as an artefact of the run.")

    @property
    def kind(self) -> str:
        """Which of `STEP_KINDS` it is."""
        return next(kind for kind in STEP_KINDS if self.part(kind) is not None)

    def part(self, kind: str) -> ImportSpec | TransformSpec | ExportSpec | CallSpec | RespondSpec | str | None:
        """What stands under the given kind."""
        found: ImportSpec | TransformSpec | ExportSpec | CallSpec | RespondSpec | str | None
        found = getattr(self, "import_" if kind == "import" else kind)
        return found

    @model_validator(mode="after")
    def _exactly_one_kind(self) -> Self:
        kinds = [kind for kind in STEP_KINDS if self.part(kind) is not None]
        if not kinds:
            raise PydanticCustomError(
                "no_step", "expected one of `import`, `transform`, `export`, `call`, `stop_if`, `respond`"
            )
        if len(kinds) > 1:
            listed = " and ".join(f"`{kind}`" for kind in kinds)
            raise PydanticCustomError("two_steps", "{listed} in one step: expected one kind a step", {"listed": listed})
        return self


class TriggersSpec(Model):
    """What else may start the interface."""

    api: bool = Field(False, description="Whether the API may run it.")
    webhook: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        (), description="Event types that start it, with `*` for any ending.", examples=[["customer.*"]]
    )


class ConcurrencySpec(Model):
    """What happens when the interface is started while it runs."""

    max: Literal[1] = Field(1, description="How many runs may go on at once.")
    on_overlap: Literal["skip", "wait"] = Field(
        "skip",
        description="What a second run does under `weir serve`: it is left out (a request is refused), or waits for "
        "its turn.",
    )


class ParameterSpec(Model):
    """A typed parameter, for use as `{{ name }}` in SQL boxes."""

    type: TypeText = Field(description="The parameter's type: as for columns.")
    default: str | int | float | bool | list[Any] | None = Field(None, description="The value when none is given.")
    track: bool = Field(
        False, description="After a success, the moment up to which it has read becomes the next value."
    )
    description: str | None = Field(None, description="What it is for.")

    @field_validator("type")
    @classmethod
    def _known_type(cls, text: str) -> str:
        try:
            ColumnType.parse(text)
        except ValueError as error:
            raise PydanticCustomError("column_type", "{expected}", {"expected": str(error)}) from None
        return text

    @model_validator(mode="after")
    def _tracks_time(self) -> Self:
        if self.track and self.type != "timestamp":
            raise PydanticCustomError("track", "only a parameter of type `timestamp` can be tracked")
        return self

    @property
    def column_type(self) -> ColumnType:
        """The parsed type."""
        return ColumnType.parse(self.type)


class InterfaceSpec(Definition):
    """An interface: steps that run in order."""

    kind: Literal["interface"]
    name: Name = Field(description="The interface's name. Unique, lower_snake.", examples=["customers"])
    is_active: bool = Field(True, description="An inactive interface is checked and never run.")
    schedule: ScheduleSpec | None = Field(None, description="When it runs by itself.")
    triggers: TriggersSpec = Field(default_factory=TriggersSpec, description="What else may start it.")
    concurrency: ConcurrencySpec = Field(default_factory=ConcurrencySpec, description="Runs at the same time.")
    timeout: Duration | None = Field(
        None,
        description="How long a run may take under `weir serve`: then it is stopped between two commits.",
        examples=["30m"],
    )
    retry: RetrySpec = Field(default_factory=RetrySpec, description="Trying a scheduled run again.")
    parameters: dict[SchemaColumn, ParameterSpec] = Field(
        default_factory=dict,
        description="Parameters of the SQL boxes: `{{ name }}` in a box renders as a quoted literal.",
        examples=[{"since": {"type": "timestamp", "default": "2024-01-01T00:00:00Z", "track": True}}],
    )
    steps: Annotated[tuple[StepSpec, ...], BeforeValidator(as_tuple)] = Field(
        min_length=1, description="The steps, in order."
    )

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        seen: set[str] = set()
        for index, step in enumerate(self.steps):
            if step.name is not None and step.name in seen:
                raise PydanticCustomError("step_double", "a second step `{name}`", {"name": step.name, "index": index})
            seen.add(step.name or "")
        return self

    def step_name(self, index: int) -> str:
        """The name of a step: its own, or kind and number from 1."""
        step = self.steps[index]
        return step.name or f"{step.kind}_{index + 1}"
