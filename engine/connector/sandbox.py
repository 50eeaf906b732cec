"""The embedded sandbox, as far as everybody may know it."""

from typing import Final

SANDBOX: Final = "sandbox"
"""The word that `base_url:` takes instead of an address: a sandbox that lives as long as the run."""

SANDBOX_KEY: Final = "sk_test_weir_sandbox"
"""The key that the sandbox accepts by default. It opens nothing else, so it is no secret."""
