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
    """Where a column's value comes from: a column of the box (`from`), or an expression over its row (`expr`)."""

    source: str | None = Field(
        None, alias="from", min_length=1, description="A column of the SQL box.", examples=["email"]
    )
    expr: str | None = Field(
        None,
        min_length=1,
        description="A SQL expression over the columns of the SQL box.",
        examples=["upper(email)"],
    )
    default: str | int | float | bool | None = Field(None, description="Replaces a missing value.")
    skip_if_empty: bool = Field(False, description="Keep the row's current value if the new one is missing or empty.")

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
    """Where a parameter's value comes from: as for a column, or the id of an object that an earlier
    export step wrote."""

    ref: Name | None = Field(
        None,
        description="An earlier export step of the same interface. `from` is the column with that step's match value; "
        "the parameter gets the id of the object that the step wrote for it.",
        examples=["products"],
    )

    @model_validator(mode="after")
    def _ref_from(self) -> Self:
        if self.ref is not None and self.source is None:
            raise PydanticCustomError("map_ref", "expected `from` with `ref`: a column of the SQL box")
        return self


WriteMapEntry = Annotated[WriteMapSpec, BeforeValidator(_mapped, json_schema_input_type=ColumnText | WriteMapSpec)]


class BoxSpec(Model):
    """A SQL box: inline, or in a file next to the interface."""

    sql: Sql | None = Field(
        None,
        description="The SQL box: one SELECT, as a Jinja2 template.",
        examples=["SELECT id, email, created FROM customers"],
    )
    sql_file: SqlFile | None = Field(
        None, description="A .sql file with the SQL box, relative to this file.", examples=["customers.sql"]
    )

    @model_validator(mode="after")
    def _one_box(self) -> Self:
        if self.sql is not None and self.sql_file is not None:
            raise PydanticCustomError("two_boxes", "expected either `sql` or `sql_file`, not both")
        return self


class RequiredBoxSpec(BoxSpec):
    """A required SQL box."""

    @model_validator(mode="after")
    def _has_box(self) -> Self:
        _demand_box(self)
        return self


def _demand_box(box: BoxSpec) -> None:
    if box.sql is None and box.sql_file is None:
        raise PydanticCustomError("no_box", "expected `sql` or `sql_file`")


_MATCH = "Columns that identify a row: Schema column to source column. Default: the table's key, matched by name."
_MAP = "Schema column to source column, or to {from, expr, default, skip_if_empty}. `auto`: match columns by name."
_MAP_EXAMPLES = ["auto", {"customer_id": "id", "email": {"from": "email", "skip_if_empty": True}}]
_ACTION = (
    "How the table is written: `insert` new rows, `update` or `delete` matching rows, `upsert` (update or insert), or "
    "`replace` all rows."
)


class WriteSpec(Model):
    """The table of the Schema that a box's rows are written to."""

    into: Name = Field(description="The table of the Schema to write to.", examples=["customers"])
    action: ImportAction = Field("upsert", description=_ACTION)
    match: dict[SchemaColumn, ColumnText] | None = Field(
        None, min_length=1, description=_MATCH, examples=[{"customer_id": "id"}]
    )
    map: Literal["auto"] | dict[SchemaColumn, MapEntry] = Field("auto", description=_MAP, examples=_MAP_EXAMPLES)


class ImportSpec(BoxSpec, WriteSpec):
    """From a connection to the Schema."""

    connection: Name = Field(description="The connection to read from.")


class TransformSpec(RequiredBoxSpec, WriteSpec):
    """From the Schema to the Schema."""


class CapsSpec(Model):
    """Limits of an export: it stops before its first write if it would exceed one."""

    max_writes: int | None = Field(None, ge=0, description="Maximum number of writes per run.")
    max_deletes: int | None = Field(
        None,
        ge=0,
        description="Maximum number of objects that are retired (deleted, archived, canceled, voided or detached) per "
        "run. Default: 20 or 10 % of the managed objects, whichever is more.",
    )
    max_error_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Share of writes that may fail. Above it, and after at least 20 writes, no more writes are sent.",
    )


class ExportSpec(BoxSpec):
    """From the Schema to a connection."""

    source: Name | None = Field(
        None, alias="from", description="The table of the Schema to read; `sql` can transform it."
    )
    connection: Name = Field(description="The connection to write to.")
    entity: Name = Field(description="The entity to write.", examples=["customers"])
    action: ExportAction = Field("upsert", description="How objects are written.")
    match: dict[ColumnText, ColumnText] = Field(
        min_length=1,
        description="How a row identifies its object: `id`, `lookup_key`, `metadata[…]` or another parameter that "
        "objects return, to source column.",
        examples=[{"metadata[customer_number]": "customer_number"}],
    )
    map: dict[ColumnText, WriteMapEntry] = Field(
        default_factory=dict, description="Parameter (`metadata[tier]`) to source column.", examples=[{"name": "name"}]
    )
    on_missing: Literal["keep", "delete", "archive", "cancel", "void", "detach"] = Field(
        "keep", description="What happens to an object whose row no longer exists."
    )
    caps: CapsSpec = Field(default_factory=CapsSpec, description="Limits of the export.")

    @model_validator(mode="after")
    def _has_rows(self) -> Self:
        if self.source is None:
            _demand_box(self)
        return self


class CallSpec(RequiredBoxSpec):
    """Calls a function of a connection once per row, and imports its results (Export/Import)."""

    connection: Name = Field(description="The connection to call.")
    function: str = Field(
        pattern=r"^[a-z_]+(\.[a-z_]+)+$", description="The function to call.", examples=["invoices.finalize"]
    )
    parameters: dict[ColumnText, WriteMapEntry] = Field(
        default_factory=dict,
        description="Parameter to source column; `id` is the object to act on. Default: the column `id`.",
        examples=[{"id": "invoice_id"}],
    )
    key: Annotated[tuple[ColumnText, ...], BeforeValidator(as_tuple)] = Field(
        (),
        description="Source columns that identify a call: the function is called at most once for the same values. "
        "Default: all parameters of the call.",
        examples=[["refund_request_id"]],
    )
    caps: CapsSpec = Field(default_factory=CapsSpec, description="Limits of the calls.")
    into: Name | None = Field(None, description="The table of the Schema that receives the results.")
    action: ImportAction = Field("upsert", description=_ACTION)
    match: dict[SchemaColumn, ColumnText] | None = Field(
        None, min_length=1, description=_MATCH, examples=[{"customer_id": "id"}]
    )
    map: Literal["auto"] | dict[SchemaColumn, MapEntry] = Field("auto", description=_MAP, examples=_MAP_EXAMPLES)


class RespondSpec(RequiredBoxSpec):
    """The rows that an API caller of the interface receives."""


class StepSpec(Model):
    """One step: exactly one of `import`, `transform`, `export`, `call`, `stop_if`, `respond`."""

    name: Name | None = Field(None, description="The step's name, unique in its interface. Default: kind and number.")
    import_: ImportSpec | None = Field(None, alias="import", description="From a connection to the Schema.")
    transform: TransformSpec | None = Field(None, description="From the Schema to the Schema.")
    export: ExportSpec | None = Field(None, description="From the Schema to a connection.")
    call: CallSpec | None = Field(None, description="A function of a connection, per row; its results are imported.")
    stop_if: Sql | None = Field(
        None,
        description="A query with one boolean value: true ends the interface here, successfully.",
        examples=["SELECT count(*) = 0 FROM customers"],
    )
    respond: RespondSpec | None = Field(None, description="The rows that an API caller receives.")
    on_error: Literal["stop", "continue"] = Field("stop", description="Whether later steps run after this one fails.")
    on_empty: Literal["continue", "stop"] = Field(
        "continue", description="Whether later steps run after this one's box returned no rows."
    )
    snapshot: bool = Field(False, description="Store the table's content after this step as an artifact of the run.")

    @property
    def kind(self) -> str:
        """The one of `STEP_KINDS` that the step has."""
        return next(kind for kind in STEP_KINDS if self.part(kind) is not None)

    def part(self, kind: str) -> ImportSpec | TransformSpec | ExportSpec | CallSpec | RespondSpec | str | None:
        """The value of the key of this kind."""
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
            raise PydanticCustomError("two_steps", "expected one kind of step, found {listed}", {"listed": listed})
        return self


class TriggersSpec(Model):
    """Triggers of the interface besides its schedule."""

    api: bool = Field(False, description="Whether the API may start it.")
    webhook: Annotated[tuple[str, ...], BeforeValidator(as_tuple)] = Field(
        (), description="Event types that start it; `*` matches any suffix.", examples=[["customer.*"]]
    )


class ConcurrencySpec(Model):
    """What happens if the interface is started while it is running."""

    max: Literal[1] = Field(1, description="Maximum number of concurrent runs.")
    on_overlap: Literal["skip", "wait"] = Field(
        "skip",
        description="What `weir serve` does with a second run: `skip` it (a request is rejected), or let it `wait`.",
    )


class ParameterSpec(Model):
    """A typed parameter, used as `{{ name }}` in SQL boxes."""

    type: TypeText = Field(description="The parameter's type, as for columns.")
    default: str | int | float | bool | list[Any] | None = Field(None, description="The value if none is passed.")
    track: bool = Field(False, description="After a successful run, its read timestamp becomes the next value.")
    description: str | None = Field(None, description="Its purpose.")

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
    is_active: bool = Field(True, description="An inactive interface is checked but never run.")
    schedule: ScheduleSpec | None = Field(None, description="When it runs without a request.")
    triggers: TriggersSpec = Field(default_factory=TriggersSpec, description="What else starts it.")
    concurrency: ConcurrencySpec = Field(default_factory=ConcurrencySpec, description="Concurrent runs.")
    timeout: Duration | None = Field(
        None,
        description="Time limit of a run under `weir serve`. The run stops between two commits.",
        examples=["30m"],
    )
    retry: RetrySpec = Field(default_factory=RetrySpec, description="Retries of a failed scheduled run.")
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
                context = {"name": step.name, "index": index}
                raise PydanticCustomError("duplicate_step", "duplicate step `{name}`", context)
            seen.add(step.name or "")
        return self

    def step_name(self, index: int) -> str:
        """The name of a step: its own, or kind and number from 1."""
        step = self.steps[index]
        return step.name or f"{step.kind}_{index + 1}"
