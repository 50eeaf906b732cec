"""Who did what: a file of JSON lines that is only ever added to. Never a body, never a token."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from engine.app.logging import redact

_LARGEST: Final = 20 * 2**20


@dataclass(slots=True)
class Audit:
    """Adds to the file at `path`. When it has grown large it becomes `….1`, in place of the one before. For several
    threads and processes: a line is one write to the end of the file."""

    path: Path
    now: Callable[[], datetime]
    largest: int = _LARGEST
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, *, who: str, result: str, **known: object) -> None:
        """Keep that `who` did `what`, and how it ended."""
        entry = {"at": self.now().isoformat(), "who": who, "what": what, "result": result, **known}
        line = redact(json.dumps(entry, ensure_ascii=False, default=str)) + "\n"
        with self._lock:
            self._turn_over()
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(descriptor, line.encode("utf-8", "replace"))
            finally:
                os.close(descriptor)

    def _turn_over(self) -> None:
        try:
            if self.path.stat().st_size >= self.largest:
                self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        except FileNotFoundError:
            pass
