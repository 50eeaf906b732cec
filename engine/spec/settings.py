"""`weir.yaml`: the project's settings, all optional."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .base import Definition, Model, Name


class AgentSpec(Model):
    """An environment that runs the steps of connections."""

    executor: Literal["inline"] = Field("inline", description="How it runs work: `inline` is this process.")
    parallelism: int = Field(4, ge=1, le=256, description="Maximum number of concurrent partitions.")
    description: str | None = Field(None, description="Its purpose.")


class BoxLimitsSpec(Model):
    """Resource limits of a SQL box."""

    memory_mb: int = Field(1024, ge=64, description="Memory of one box, in megabytes.")
    seconds: float = Field(300, gt=0, description="Wall time of one box.")
    threads: int = Field(2, ge=1, le=256, description="Threads of one box.")
    temp_mb: int = Field(10_240, ge=0, description="Disk space that a box may spill to, in megabytes.")


class PolicySpec(Model):
    """Rules for every definition of the project."""

    reject_limit: int = Field(1000, ge=0, description="Rejected rows stored per step. All are counted.")
    protected: bool = Field(
        False,
        description="Whether `weir serve` activates risky changes (targets, writes, data loss) only after `weir apply "
        "HASH`.",
    )
    isolated: bool | None = Field(None, description="Run boxes in a child process. Default: only if `CI` is set.")


class SettingsSpec(Definition):
    """The project's settings."""

    kind: Literal["settings"] = "settings"
    state: str = Field(".weir", min_length=1, description="Folder of staging, the Schema's tables and the run state.")
    agents: dict[Name, AgentSpec] = Field(default_factory=dict, description="Agents by name, besides `local`.")
    boxes: BoxLimitsSpec = Field(default_factory=BoxLimitsSpec, description="Limits of SQL boxes.")
    policy: PolicySpec = Field(default_factory=PolicySpec, description="Rules for all definitions.")
