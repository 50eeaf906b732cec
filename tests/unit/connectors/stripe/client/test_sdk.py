"""The SDK is imported without its unused HTTP library, which other code can still import."""

from __future__ import annotations

import subprocess
import sys

import pytest


def printed(program: str) -> str:
    """The output of a new interpreter."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_unused_library_is_not_imported_and_stays_importable() -> None:
    program = (
        "import sys\n"
        "import engine.connectors.stripe.client\n"
        "before = 'requests' in sys.modules\n"
        "import requests\n"
        "print(before, requests.__name__, len([each for each in sys.meta_path if 'NotFound' in type(each).__name__]))"
    )
    assert printed(program) == "False requests 0"


@pytest.mark.process
def test_sdk_makes_its_usual_default_client() -> None:
    make = "import stripe\nprint(type(stripe.new_default_http_client()).__name__)"
    assert printed(f"import engine.connectors.stripe.client\n{make}") == printed(make) == "RequestsClient"


def test_other_thread_can_import_the_library_meanwhile() -> None:
    program = (
        "import threading\n"
        "from engine.connectors.stripe.client import sdk\n"
        "with sdk._without_unused():\n"
        "    found = []\n"
        "    def look():\n"
        "        import requests\n"
        "        found.append(requests.__name__)\n"
        "    other = threading.Thread(target=look)\n"
        "    other.start()\n"
        "    other.join()\n"
        "print(found)"
    )
    assert printed(program) == "['requests']"
