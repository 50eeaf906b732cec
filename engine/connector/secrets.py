"""Secrets: references in definitions, resolved only when a run needs them; values only in memory, never in output."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn, Protocol, cast

from .failure import Failure, FailureKind
from .sandbox import SANDBOX, SANDBOX_KEY

_FILE_LIMIT: Final = 16_384
_COMMAND_SECONDS: Final = 30.0


class Secret:
    """A secret's value. It refuses to be printed, formatted, compared, pickled or put into JSON.

    The one way to the text is `reveal()`, called where the request is signed.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The secret's text. Never store, log or raise with it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> NoReturn:
        raise TypeError("a secret is not text: call reveal() where the request is signed")

    def __format__(self, spec: str) -> NoReturn:
        raise TypeError("a secret cannot be formatted")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret cannot be pickled or copied")

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("a secret cannot be compared")

    __hash__ = None  # type: ignore[assignment]


class _Keyring(Protocol):
    def get_password(self, service: str, user: str) -> str | None: ...


def resolve_secret(
    kind: str, argument: str, environment: Mapping[str, str], *, base: Path | None = None
) -> Secret | Failure:
    """The secret that a reference (`kind`, `argument`) leads to, or why there is none.

    Kinds: `env` (a variable of `environment`), `file` (a path, relative to `base`), `keyring` (`service/user`),
    `command` (split as a shell would, run without one in `base` with `environment`, its output is the secret), and
    `sandbox`, whose argument does not matter. Blanks around the text are no part of it. No failure quotes what was
    found, nor what a command printed.
    """
    readers: dict[str, Callable[[], str | Failure]] = {
        "env": lambda: _from_environment(argument, environment),
        "file": lambda: _from_file(argument, base),
        "keyring": lambda: _from_keyring(argument),
        "command": lambda: _from_command(argument, environment, base),
        SANDBOX: lambda: SANDBOX_KEY,
    }
    reader = readers.get(kind)
    if reader is None:
        return _failure(f"no way to read a secret is called `{kind}`", "use `env`, `file`, `keyring` or `command`")
    found = reader()
    if isinstance(found, Failure):
        return found
    text = found.strip()
    if not text:
        return _failure(
            f"the secret of {kind} `{_named(kind, argument)}` is empty", "put the key there, and nothing else"
        )
    if not text.isascii() or not text.isprintable() or " " in text:
        return _failure(
            f"the secret of {kind} `{_named(kind, argument)}` is no single word of ASCII characters",
            "put the key there, and nothing else",
        )
    return Secret(text)


def _named(kind: str, argument: str) -> str:
    """How a message names a reference: a command only by its program, because arguments may be confidential."""
    return argument.split()[0] if kind == "command" and argument.split() else argument


def _from_environment(name: str, environment: Mapping[str, str]) -> str | Failure:
    if name in environment:
        return environment[name]
    return _failure(
        f"the environment variable `{name}` is not set",
        f"set it before the command: `export {name}=…`, or in CI as a secret",
    )


def _from_file(path: str, base: Path | None) -> str | Failure:
    full = (base or Path()) / Path(path).expanduser()
    try:
        with full.open("rb") as file:
            content = file.read(_FILE_LIMIT + 1)
        if len(content) > _FILE_LIMIT:
            return _failure(f"the file `{path}` is too large for a secret", "it must hold only the key")
        return content.decode("ascii")
    except UnicodeDecodeError:
        return _failure(f"the file `{path}` does not hold plain text", "it must hold only the key")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return _failure(f"the file `{path}` cannot be read: {reason}", "make the file, readable by this user only")


def _from_keyring(entry: str) -> str | Failure:
    service, slash, user = entry.rpartition("/")
    if not slash or not service or not user:
        return _failure(f"`{entry}` names no entry of a keyring", "write `service/user`")
    try:
        keyring = cast("_Keyring", import_module("keyring"))
    except ImportError:
        return _failure("the keyring library is not installed", 'install it with `pip install "weir[keyring]"`')
    try:
        password = keyring.get_password(service, user)
    except Exception as error:  # noqa: BLE001 - each backend has errors of its own
        return _failure(f"the keyring refused: {type(error).__name__}", "unlock it, or use another kind of reference")
    if password is None:
        return _failure(f"the keyring has no entry `{entry}`", f"add it with `keyring set {service} {user}`")
    return password


def _from_command(command: str, environment: Mapping[str, str], base: Path | None) -> str | Failure:
    import shlex
    import subprocess

    try:
        words = shlex.split(command)
    except ValueError:
        words = []
    if not words:
        return _failure("the secret's command cannot be read", "check its quotes")
    try:
        done = subprocess.run(  # noqa: S603 - the command is the definition's own, and no shell reads it
            words,
            env=dict(environment),
            cwd=base,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_COMMAND_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return _failure(f"the command `{words[0]}` gave no secret in {_COMMAND_SECONDS:.0f} s", "run it by hand")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return _failure(f"the command `{words[0]}` did not start: {reason}", "check its name and PATH")
    if done.returncode != 0:
        return _failure(f"the command `{words[0]}` ended with exit code {done.returncode}", "run it by hand to see why")
    return done.stdout.decode("utf-8", "replace")


def _failure(message: str, hint: str) -> Failure:
    return Failure(FailureKind.SECRET, message, hint)
