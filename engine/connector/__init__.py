"""The connector protocol: what a provider can give, what a box needs, secrets and failures."""

from .failure import ConnectorError, Failure, FailureKind
from .need import Need, Op, Predicate, Read, Request, Value
from .protocol import CheckReport, Connector, Probe, SourceCatalogue, SourceTable, Verdict
from .secret import Secret

__all__ = [
    "CheckReport",
    "Connector",
    "ConnectorError",
    "Failure",
    "FailureKind",
    "Need",
    "Op",
    "Predicate",
    "Probe",
    "Read",
    "Request",
    "Secret",
    "SourceCatalogue",
    "SourceTable",
    "Value",
    "Verdict",
]
