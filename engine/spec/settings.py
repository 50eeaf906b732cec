"""`weir.yaml`: settings of the project, all optional."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import Definition, Model, Name


class AgentSpec(Model):
    """A place where steps of connections can run."""

    executor: Literal["inline"] = Field("inline", description="How work is run there: `inline` is this process.")
    parallelism: int = Field(4, ge=1, le=256, description="How many partitions may run at once.")
    description: str | None = Field(None, description="What it is.")


class BoxLimitsSpec(Model):
    """How much a SQL box may take."""

    memory_mb: int = Field(1024, ge=64, description="Memory of one box, in megabytes.")
    seconds: float = Field(300, gt=0, description="Wall time of one box.")
    threads: int = Field(2, ge=1, le=256, description="Threads of one box.")
    temp_mb: int = Field(10_240, ge=0, description="Disk that a box may spill to, in megabytes.")


class PolicySpec(Model):
    """Rules that hold for every definition of the project."""

    reject_limit: int = Field(1000, ge=0, description="Rejects that are kept per step; all are counted.")
    protected: bool = Field(
        False,
        description="Changes that put something at risk (who is reached, what is written, what is lost) wait under "
        "`weir serve` until `weir apply HASH`.",
    )
    isolated: bool | None = Field(None, description="Run boxes in a child process. Default: only where CI is set.")


class SettingsSpec(Definition):
    """The project's settings."""

    kind: Literal["settings"] = "settings"
    state: str = Field(".weir", min_length=1, description="Folder for staging, the Schema's tables and run state.")
    agents: dict[Name, AgentSpec] = Field(default_factory=dict, description="Agents by name, besides `local`.")
    boxes: BoxLimitsSpec = Field(default_factory=BoxLimitsSpec, description="Limits of SQL boxes.")
    policy: PolicySpec = Field(default_factory=PolicySpec, description="Rules for all definitions.")
