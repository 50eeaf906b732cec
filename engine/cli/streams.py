"""The command's own output streams."""

from __future__ import annotations

import os
import sys


def forget_stdout() -> None:
    """Send what is still said to stdout nowhere: its reader has gone (`weir … | head`), or its disk is full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
