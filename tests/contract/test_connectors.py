"""Every shipped connector keeps the contract of connectors."""

from __future__ import annotations

import socket

from engine.connector import Connector
from engine.connectors.stripe import CONNECTOR
from engine.testing.connector_suite import ConnectorSuite


class TestStripe(ConnectorSuite):
    def make(self) -> Connector:
        return CONNECTOR

    def unreachable(self) -> dict[str, object]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        return {"base_url": f"http://127.0.0.1:{port}", "secret": ["sandbox", ""], "timeout_ms": 500, "mode": "test"}
