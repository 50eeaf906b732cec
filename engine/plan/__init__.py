"""Plans: what a run would do now."""

from .types import FORMAT_VERSION, ConnectionSettings, Estimate, Plan, Skipped, Task

__all__ = ["FORMAT_VERSION", "ConnectionSettings", "Estimate", "Plan", "Skipped", "Task"]
