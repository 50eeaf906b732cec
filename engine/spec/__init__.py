"""What was meant, file by file: the models of the definitions."""

from .connection import ConnectionSpec, GrantsSpec, LimitsSpec, SecretSpec
from .interface import (
    STEP_KINDS,
    BoxSpec,
    CallSpec,
    CapsSpec,
    ExportSpec,
    ImportSpec,
    InterfaceSpec,
    MapSpec,
    ParameterSpec,
    RespondSpec,
    StepSpec,
    TransformSpec,
    WriteSpec,
)
from .schema import ColumnSpec, SchemaSpec
from .settings import AgentSpec, BoxLimitsSpec, PolicySpec, SettingsSpec

__all__ = [
    "STEP_KINDS",
    "AgentSpec",
    "BoxLimitsSpec",
    "BoxSpec",
    "CallSpec",
    "CapsSpec",
    "ColumnSpec",
    "ConnectionSpec",
    "ExportSpec",
    "GrantsSpec",
    "ImportSpec",
    "InterfaceSpec",
    "LimitsSpec",
    "MapSpec",
    "ParameterSpec",
    "PolicySpec",
    "RespondSpec",
    "SchemaSpec",
    "SecretSpec",
    "SettingsSpec",
    "StepSpec",
    "TransformSpec",
    "WriteSpec",
]
