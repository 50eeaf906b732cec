"""When an interface runs by itself."""

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
    """What is added to a moment: beyond some thousand years there are none."""
    if length is not None and length > _LONGEST:
        raise PydanticCustomError("duration", "expected a duration of at most `366d`")
    return length


class ScheduleSpec(Model):
    """When the interface runs by itself, under `weir serve`."""

    every: Duration | None = Field(None, description="The time from start to start.", examples=["15m"])
    cron: str | None = Field(
        None,
        pattern=r"^(@(yearly|annually|monthly|weekly|daily|hourly)|[-0-9*/,A-Za-z#L?]+( [-0-9*/,A-Za-z#L?]+){4})$",
        description="A cron expression of five fields.",
        examples=["*/15 * * * *"],
    )
    timezone: str = Field("UTC", description="The time zone of `cron`.", examples=["Europe/Berlin"])
    jitter: Duration | None = Field(
        None, description="Each start is put off by up to so long, by the name of the interface and the moment."
    )
    missed: Literal["run", "skip"] = Field(
        "run", description="What happens after a time in which nothing could start: one run at once, or none."
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
            raise PydanticCustomError("timezone", "no time zone of this name, such as `Europe/Berlin`") from None
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
    """The five fields of a cron expression, which may be a name such as `@daily`."""
    return _NAMED_CRONS.get(text, text)


class RetrySpec(Model):
    """What happens when a run that nobody waits for fails because of the provider or the network."""

    times: int = Field(2, ge=0, le=20, description="How often it is tried again.")
    wait: Duration = Field(
        timedelta(seconds=30), description="The first pause; each one after it is twice as long, up to a day."
    )

    _bounds = field_validator("wait")(_bounded)
