"""Third-party tools, each in its own virtual environment in the user's cache folder."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

DLT = "dlt[duckdb,parquet]==1.31.0"


def python_with(requirement: str) -> Path | str:
    """A Python with the requirement, or the reason why there is none. Installs it on first use."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "weir-benchmarks"
    folder = cache / "".join(letter if letter.isalnum() else "-" for letter in requirement)
    python = folder / "bin" / "python"
    if (folder / "installed").exists():
        return python
    print(f"installing {requirement} for comparison", file=sys.stderr)
    try:
        venv.create(folder, with_pip=True, clear=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        words = str(getattr(error, "stderr", "") or error).strip().splitlines()
        return f"cannot be installed: {words[-1] if words else type(error).__name__}"
    (folder / "installed").touch()
    return python
