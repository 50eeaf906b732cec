"""What all definitions share: strict, frozen models, and the types of names, durations and SQL."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

NAME_PATTERN: Final = r"^[a-z][a-z0-9_]{0,62}$"
FREE_PATTERN: Final = r"^x-"
"""Keys that belong to the user: Weir neither reads nor checks their values. `meta` is another."""

_DURATION: Final = re.compile(r"(\d{1,9})(ms|s|m|h|d)")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400}


class Model(BaseModel):
    """A part of a definition: immutable, without type conversion, without unknown keys."""

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        populate_by_name=False,
        hide_input_in_errors=True,
        defer_build=True,  # a model that is a part of others is built within them, and needs no validator of its own
    )


Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
"""A lower_snake name of at most 63 characters that starts with a letter."""

Sql = Annotated[str, StringConstraints(min_length=1), Field(json_schema_extra={"contentMediaType": "application/sql"})]
"""A SQL box: one SELECT, as a Jinja2 template."""


def as_tuple(value: Any) -> Any:
    """A YAML list as the tuple that the models hold."""
    return tuple(value) if isinstance(value, list) else value


def seconds(text: str) -> float:
    """The duration of `15m`, `2h`, `500ms`, `1d`, in seconds. ValueError for anything else."""
    match = _DURATION.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise ValueError(text)
    return int(match[1]) * _SECONDS[match[2]]


def duration_text(length: timedelta) -> str:
    """The shortest form of a duration: `90m`, `1d`."""
    milliseconds = round(length.total_seconds() * 1000)
    for unit in ("d", "h", "m", "s"):
        number, rest = divmod(milliseconds, round(_SECONDS[unit] * 1000))
        if not rest:
            return f"{number}{unit}"
    return f"{milliseconds}ms"


def _duration(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return timedelta(seconds=seconds(value))
        except ValueError:
            pass
    raise PydanticCustomError("duration", "expected a duration such as `15m`, `2h`, `30s` or `1d`")


Duration = Annotated[
    timedelta,
    BeforeValidator(
        _duration, json_schema_input_type=Annotated[str, StringConstraints(pattern=r"^0*[1-9]\d{0,8}(ms|s|m|h|d)$")]
    ),
]
"""A duration: a whole number and `ms`, `s`, `m`, `h` or `d`."""


class Definition(Model):
    """Keys that every kind of definition accepts."""

    description: str | None = Field(None, description="Its purpose, in one sentence. Shown in plans and reviews.")
    meta: dict[str, Any] | None = Field(None, description="Your own data, of any shape. Weir ignores it.")
