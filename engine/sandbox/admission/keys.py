"""API keys, accounts and permissions."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, Mapping

from ..errors import ApiError
from ..options import KeyGrant
from ..state import Store
from ..world import SandboxWorld


class Keyring:
    """The accepted keys."""

    def __init__(self, grants: Iterable[KeyGrant]) -> None:
        self._grants = {grant.key: grant for grant in grants}

    def add(self, grant: KeyGrant) -> None:
        """Accept a key, or change the grant of an accepted one."""
        self._grants[grant.key] = grant

    def revoke(self, key: str) -> None:
        """Revoke a key."""
        self._grants.pop(key, None)

    def grants(self) -> list[KeyGrant]:
        """All accepted keys."""
        return list(self._grants.values())

    def check(self, headers: Mapping[str, str]) -> KeyGrant:
        """The grant of the request's key. 401 for a missing or unknown one."""
        key = _key(headers.get("authorization", ""))
        if not key:
            raise ApiError(
                401,
                "You did not provide an API key. You need to provide your API key in the Authorization header, using "
                "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            )
        grant = self._grants.get(key)
        if grant is None:
            raise ApiError(401, f"Invalid API Key provided: {redact(key)}")
        return grant


def _key(header: str) -> str:
    scheme, _, rest = header.partition(" ")
    match scheme.lower():
        case "bearer":
            return rest.strip()
        case "basic":
            try:
                return b64decode(rest).decode("ascii").partition(":")[0]
            except (Error, UnicodeDecodeError):
                return ""
        case _:
            return ""


def redact(key: str) -> str:
    """A key masked for error messages: its prefix and last four characters."""
    prefix = "_".join(key.split("_")[:2]) + "_" if key.count("_") >= 2 else key[:3]
    hidden = max(0, len(key) - len(prefix) - 4)
    return f"{prefix}{'*' * hidden}{key[-4:]}"


def open_store(world: SandboxWorld, grant: KeyGrant, headers: Mapping[str, str]) -> Store:
    """The store of the key's account, or of the account in `Stripe-Account`."""
    own = grant.account or world.platform
    wanted = headers.get("stripe-account") or headers.get("stripe-context") or own
    if wanted != own and (own != world.platform or not world.knows(wanted)):
        raise ApiError(
            403,
            f"The provided key '{redact(grant.key)}' does not have access to account '{wanted}' (or that account does "
            "not exist). Application access may have been revoked.",
            code="account_invalid",
        )
    return world.store(wanted, livemode=grant.livemode)


def check_permission(grant: KeyGrant, permission: str, account: str) -> None:
    """403 with the permission that a restricted key lacks. Write permission includes read."""
    if grant.permissions is None or permission in grant.permissions:
        return
    if permission.endswith("_read") and permission.removesuffix("_read") + "_write" in grant.permissions:
        return
    raise ApiError(
        403,
        f"The provided key '{redact(grant.key)}' does not have the required permissions for this endpoint on account "
        f"'{account}'. Having the '{permission}' permission would allow this request to continue.",
    )
