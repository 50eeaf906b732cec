"""Schedules and retries of an interface."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from .base import Duration, Model

_LONGEST = timedelta(days=366)


def _bounded(length: timedelta | None) -> timedelta | None:
    """The duration, bounded so that adding it to a timestamp cannot overflow."""
    if length is not None and length > _LONGEST:
        raise PydanticCustomError("duration", "expected a duration of at most `366d`")
    return length


class ScheduleSpec(Model):
    """When `weir serve` runs the interface."""

    every: Duration | None = Field(None, description="Interval between starts.", examples=["15m"])
    cron: str | None = Field(
        None,
        pattern=r"^(@(yearly|annually|monthly|weekly|daily|hourly)|[-0-9*/,A-Za-z#L?]+( [-0-9*/,A-Za-z#L?]+){4})$",
        description="A cron expression with five fields.",
        examples=["*/15 * * * *"],
    )
    timezone: str = Field("UTC", description="The time zone of `cron`.", examples=["Europe/Berlin"])
    jitter: Duration | None = Field(
        None, description="Maximum delay added to a start; deterministic per interface and due time."
    )
    missed: Literal["run", "skip"] = Field(
        "run", description="What happens to starts that were missed: `run` once immediately, or `skip` them."
    )

    _bounds = field_validator("every", "jitter")(_bounded)

    @field_validator("cron")
    @classmethod
    def _known_cron(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                CronSim(cron_fields(text), datetime(2026, 1, 1, tzinfo=UTC))
            except CronSimError as error:
                raise PydanticCustomError("cron", "not a cron expression: {why}", {"why": str(error).lower()}) from None
        return text

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise PydanticCustomError("timezone", "expected an IANA time zone, such as `Europe/Berlin`") from None
        return name

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.every is None) == (self.cron is None):
            raise PydanticCustomError("schedule", "expected either `every` or `cron`")
        return self


_NAMED_CRONS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@hourly": "0 * * * *",
}


def cron_fields(text: str) -> str:
    """The five fields of a cron expression, which may be a shorthand such as `@daily`."""
    return _NAMED_CRONS.get(text, text)


class RetrySpec(Model):
    """Retries of a scheduled run that failed because of the provider or the network."""

    times: int = Field(2, ge=0, le=20, description="Maximum number of retries.")
    wait: Duration = Field(
        timedelta(seconds=30), description="Delay before the first retry; doubles with each retry, up to a day."
    )

    _bounds = field_validator("wait")(_bounded)
