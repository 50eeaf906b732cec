"""The models of the definitions, one file at a time."""

from typing import TYPE_CHECKING

from engine.faces import lazy

if TYPE_CHECKING:
    from .base import Model, duration_text
    from .case import CaseSpec, ExpectedWriteSpec, ExpectSpec, SuiteSpec
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
        WriteMapSpec,
        WriteSpec,
    )
    from .jsonschema import json_schema, schema_files
    from .schedule import RetrySpec, ScheduleSpec, cron_fields
    from .schema import ColumnSpec, SchemaSpec
    from .settings import AgentSpec, BoxLimitsSpec, PolicySpec, SettingsSpec
    from .types import Defined, SpecSet
    from .validate import SpecMemory, validate_suites, validate_tree
else:
    __getattr__ = lazy(
        __name__,
        {
            ".base": "Model duration_text",
            ".case": "CaseSpec ExpectedWriteSpec ExpectSpec SuiteSpec",
            ".connection": "ConnectionSpec GrantsSpec LimitsSpec SecretSpec",
            ".interface": (
                "STEP_KINDS BoxSpec CallSpec CapsSpec ExportSpec ImportSpec InterfaceSpec MapSpec ParameterSpec "
                "RespondSpec StepSpec TransformSpec WriteMapSpec WriteSpec"
            ),
            ".jsonschema": "json_schema schema_files",
            ".schedule": "RetrySpec ScheduleSpec cron_fields",
            ".schema": "ColumnSpec SchemaSpec",
            ".settings": "AgentSpec BoxLimitsSpec PolicySpec SettingsSpec",
            ".types": "Defined SpecSet",
            ".validate": "SpecMemory validate_suites validate_tree",
        },
    )

__all__ = [
    "STEP_KINDS",
    "AgentSpec",
    "BoxLimitsSpec",
    "BoxSpec",
    "CallSpec",
    "CapsSpec",
    "CaseSpec",
    "ColumnSpec",
    "ConnectionSpec",
    "Defined",
    "ExpectSpec",
    "ExpectedWriteSpec",
    "ExportSpec",
    "GrantsSpec",
    "ImportSpec",
    "InterfaceSpec",
    "LimitsSpec",
    "MapSpec",
    "Model",
    "ParameterSpec",
    "PolicySpec",
    "RespondSpec",
    "RetrySpec",
    "ScheduleSpec",
    "SchemaSpec",
    "SecretSpec",
    "SettingsSpec",
    "SpecMemory",
    "SpecSet",
    "StepSpec",
    "SuiteSpec",
    "TransformSpec",
    "WriteMapSpec",
    "WriteSpec",
    "cron_fields",
    "duration_text",
    "json_schema",
    "schema_files",
    "validate_suites",
    "validate_tree",
]
