"""`kind: schema`: one canonical table. The Schema is the set of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, field_validator, model_validator
from pydantic_core import PydanticCustomError

from engine.relation import ColumnType

from .base import NAME_PATTERN, Definition, Model, Name, as_tuple

# A decimal may end at its comma: unquoted within braces, YAML makes two entries of it (see validate.py).
_TYPE_PATTERN = r"^(text|integer|decimal\(\s*\d+\s*(,\s*\d+\s*\))?|float|boolean|date|timestamp|json)(\[\])*$"
TypeText = Annotated[str, Field(json_schema_extra={"pattern": _TYPE_PATTERN}, examples=["text", "decimal(18,2)"])]


class ColumnSpec(Model):
    """A column of a canonical table."""

    type: TypeText = Field(
        description="text, integer (64 bits), decimal(p,s), float, boolean, date, timestamp (UTC), json, or one of "
        "these with `[]`."
    )
    required: bool = Field(False, description="Whether every row must have a value. A row without one is rejected.")
    default: str | int | float | bool | None = Field(None, description="The value that replaces a missing value.")
    description: str | None = Field(None, description="Its meaning, with the unit.")

    @field_validator("type")
    @classmethod
    def _known_type(cls, text: str) -> str:
        try:
            ColumnType.parse(text)
        except ValueError as error:
            raise PydanticCustomError("column_type", "{expected}", {"expected": str(error)}) from None
        return text

    @property
    def column_type(self) -> ColumnType:
        """The parsed type."""
        return ColumnType.parse(self.type)


def _column(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


ColumnEntry = Annotated[ColumnSpec, BeforeValidator(_column, json_schema_input_type=TypeText | ColumnSpec)]
ColumnName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


class SchemaSpec(Definition):
    """A canonical table."""

    kind: Literal["schema"]
    name: Name = Field(description="The table's name. Unique, lower_snake.", examples=["customers"])
    columns: dict[ColumnName, ColumnEntry] = Field(
        min_length=1,
        description="Column name to type, or to {type, required, default, description}.",
        examples=[{"customer_id": {"type": "text", "required": True}, "email": "text"}],
    )
    key: Annotated[tuple[ColumnName, ...], BeforeValidator(as_tuple)] = Field(
        (),
        description="Columns that identify a row, and the default `match` of imports into this table.",
        examples=[["customer_id"]],
    )

    @model_validator(mode="after")
    def _key_names_columns(self) -> Self:
        unknown = [index for index, name in enumerate(self.key) if name not in self.columns]
        duplicate = [index for index, name in enumerate(self.key) if name in self.key[:index] and name in self.columns]
        if unknown or duplicate:
            raise PydanticCustomError(
                "key_columns", "expected distinct columns of this table", {"unknown": unknown, "duplicate": duplicate}
            )
        return self
