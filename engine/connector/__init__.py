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
    MirrorInstant,
    OpenRows,
    Renewed,
    VersionMove,
)
from .mirror_tables import MIRROR_TABLES
from .need import Need, Op, Predicate, Read, Request, Value
from .protocol import CheckReport, Connector, Freshness, Pace, Probe, SourceCatalogue, SourceTable, Verdict
from .secret import Secret

__all__ = [
    "CHANGES",
    "EVENT_GAP",
    "MIRROR_TABLES",
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
    "MirrorInstant",
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
