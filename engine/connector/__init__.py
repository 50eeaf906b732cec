"""The connector protocol: what a provider can give, what a box needs, secrets and failures."""

from .failure import ConnectorError, Failure, FailureKind
from .mirror import (
    CHANGES,
    EVENT_GAP,
    Changes,
    Coverage,
    EventClaim,
    EventInterval,
    Gap,
    Gone,
    Identity,
    Mirror,
    OpenRows,
    Renewed,
    VersionMove,
)
from .need import Need, Op, Predicate, Read, Request, Value
from .protocol import CheckReport, Connector, Freshness, Pace, Probe, SourceCatalogue, SourceTable, Verdict
from .secret import Secret

__all__ = [
    "CHANGES",
    "EVENT_GAP",
    "Changes",
    "CheckReport",
    "Connector",
    "ConnectorError",
    "Coverage",
    "EventClaim",
    "EventInterval",
    "Failure",
    "FailureKind",
    "Freshness",
    "Gap",
    "Gone",
    "Identity",
    "Mirror",
    "Need",
    "Op",
    "OpenRows",
    "Pace",
    "Predicate",
    "Probe",
    "Read",
    "Renewed",
    "Request",
    "Secret",
    "SourceCatalogue",
    "SourceTable",
    "Value",
    "Verdict",
    "VersionMove",
]
