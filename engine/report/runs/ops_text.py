"""A write of the ledger for people and programs: what was sent, what became of it, what that means, what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from engine.connector import Failure
from engine.run import DOUBTFUL_STATES, Op, OpState, sent_again_until

from ..masking import masked, masked_parameter, visible
from ..paint import BOLD, CYAN, DIM, GREEN, RED, YELLOW, Paint

STATE_STYLES: Final[Mapping[OpState, str]] = {
    OpState.PLANNED: DIM,
    OpState.SENT: YELLOW,
    OpState.DONE: GREEN,
    OpState.FAILED: RED,
    OpState.UNKNOWN: YELLOW,
    OpState.QUARANTINED: RED,
    OpState.DROPPED: DIM,
}
USES: Final[Mapping[str, str]] = {
    "create": "makes an object",
    "update": "changes an object",
    "replace": "makes an object in place of another one",
    "replaced": "puts away the object that another one has replaced",
    "retire": "does away with an object whose row is gone",
    "call": "calls a function",
}
_ANEW: Final = "the next run compares anew, and writes what is still missing under a new id"
_WIDTH: Final = 12


def key_label(op: Op) -> str:
    """The key of its row for people."""
    return masked(", ".join(str(part) for part in json.loads(op.key)))


def op_reason(op: Op) -> str:
    """Why it is not done, or what else there is to say, in one line."""
    said = op.failure.message if op.failure is not None and op.state is not OpState.DONE else op.note
    return masked(" ".join((said or "").split()))


def what_it_means(op: Op) -> str:
    """What its state says of the provider."""
    match op.state:
        case OpState.PLANNED:
            return "It was written down and not sent: the provider knows nothing of it."
        case OpState.SENT | OpState.UNKNOWN:
            return (
                "It may have reached the provider, and no answer says what became of it. Its row is not written again."
            )
        case OpState.DONE:
            return "The provider has done it."
        case OpState.FAILED:
            return "The provider has refused it: nothing has changed there."
        case OpState.QUARANTINED:
            return "Nobody knows whether it was done. Its row is not written again until somebody says."
        case OpState.DROPPED:
            return "It was not done, as far as is known, and will not be sent any more."


def what_next(op: Op, now: datetime, *, running: bool) -> str:
    """What will happen to it, and what a person may do."""
    if op.state in DOUBTFUL_STATES:
        return _doubtful(op, now, running=running)
    match op.state:
        case OpState.PLANNED if running:
            return "A run goes on: it is sent in its turn."
        case OpState.PLANNED:
            return f"Nothing to do: {_ANEW}."
        case OpState.FAILED:
            hint = f" ({op.failure.hint})" if op.failure is not None and op.failure.hint else ""
            return f"Mend what the provider complains of{hint}: {_ANEW}."
        case OpState.DROPPED:
            return f"Nothing to do: {_ANEW}."
        case _:
            return "Nothing to do."


def _doubtful(op: Op, now: datetime, *, running: bool) -> str:
    made = " --object ID" if op.use in ("create", "replace") else ""
    say = f"say `weir ops resolve {op.id} --done{made}` or `--not-done`"
    look = "Look for it at the provider"
    if op.request is not None:
        look += f" (its log has the request {op.request})"
    if op.state is OpState.QUARANTINED:
        return f"{look}, and {say}."
    if running:
        return "A run goes on that may settle it: wait until it has ended."
    until = sent_again_until(op)
    if until is not None and now < until:
        moment = until.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
        own = f"Run it again before {moment} UTC: it is then sent under the same id, which is done once only."
    elif until is None and op.sent is not None:
        own = "The next run looks it up: the provider would only repeat the error that it has stored for this id."
    else:
        own = "The next run looks it up: the provider may have forgotten its id."
    return f"{own} Or {look[0].lower()}{look[1:]}, and {say}."


def what_follows(op: Op) -> str:
    """What comes of what a person has said of it."""
    if op.state is not OpState.DONE:
        return "the next run compares its row anew, and writes it if it is still to be written"
    match op.use:
        case "create" | "replace":
            old = " The object that it replaces is left as it is." if op.use == "replace" else ""
            return (
                f"from now on its row stands for {op.result}; the next run reads it, and changes what differs. "
                f"If the provider has no such object, the row is written anew.{old}"
            )
        case "retire":
            return f"{op.object} counts as done away with"
        case "call":
            return "the function is not called again for its row; its answer is not imported"
        case _:
            return "the next run compares its object anew, and changes what differs"


def render_op(op: Op, now: datetime, *, running: bool, colour: bool = False) -> str:
    """Everything about a write."""
    paint = Paint(colour)
    lines = [f"{paint(BOLD, op.id)}  {paint(STATE_STYLES[op.state], op.state.value)}", ""]
    lines += [f"{name:<{_WIDTH}}{visible(text)}" for name, text in _facts(op)]
    lines += ["", paint(CYAN, "sent" if op.sent is not None else "to be sent")]
    lines += list(_parameters(op)) or [f"{'':2}no parameters"]
    if op.failure is not None:
        lines += ["", paint(RED, "failure"), *_failure(op.failure)]
    lines += ["", what_it_means(op), what_next(op, now, running=running)]
    return masked("\n".join(lines))


def _facts(op: Op) -> Iterator[tuple[str, str]]:
    made = op.use in ("create", "replace")
    yield "write", f"{op.target}: {USES.get(op.use, op.use)}"
    yield "row", key_label(op)
    if op.object is not None:
        yield "object", op.object
    if op.result is not None and (made or op.result != op.object):
        yield "made" if made else "answer", op.result
    yield "step", f"{op.step}, number {op.number} of run {op.run}"
    yield "connection", op.connection
    for name, moment in (("planned", op.planned), ("sent", op.sent), ("ended", op.ended)):
        if moment is not None:
            yield name, f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if op.request is not None:
        yield "request", op.request
    if op.requires is not None:
        yield "after", op.requires
    if op.note is not None:
        yield "note", op.note
    if op.answer is not None:
        yield "mirror", "does not have the answer yet: the next run puts it there"


def _parameters(op: Op) -> Iterator[str]:
    for path, text in op.parameters:
        shown = masked_parameter(path, text)
        yield f"{'':2}{path} = {json.dumps(shown, ensure_ascii=False)}"


def _failure(failure: Failure) -> Iterator[str]:
    yield f"{'':2}{visible(failure.message)}"
    facts = (
        ("status", failure.status),
        ("type", failure.type),
        ("code", failure.code),
        ("param", failure.param),
        ("permission", failure.permission),
        ("request", failure.request_id),
        ("help", failure.hint),
    )
    for name, value in facts:
        if value is not None:
            yield f"{'':2}{name:<{_WIDTH - 2}}{visible(str(value))}"


def op_json(op: Op) -> dict[str, Any]:
    """A write as JSON values. What the provider answered is not among them: it may hold a secret."""
    return {
        "id": op.id,
        "state": op.state.value,
        "step": op.step,
        "run": op.run,
        "number": op.number,
        "connection": op.connection,
        "use": op.use,
        "target": op.target,
        "key": [_plain(part) for part in json.loads(op.key)],
        "object": op.object,
        "result": op.result,
        "parameters": [[path, masked_parameter(path, text)] for path, text in op.parameters],
        "planned": op.planned,
        "sent": op.sent,
        "ended": op.ended,
        "requires": op.requires,
        "request": op.request,
        "failure": _failure_json(op.failure) if op.failure is not None else None,
        "note": _plain(op.note),
        "staged": op.answer is None,
    }


def op_page_json(op: Op, now: datetime, *, running: bool) -> dict[str, Any]:
    """As `op_json`, with what it means and what to do next."""
    return {**op_json(op), "means": what_it_means(op), "next": _plain(what_next(op, now, running=running))}


def _failure_json(failure: Failure) -> dict[str, Any]:
    names = ("kind", "message", "hint", "type", "code", "param", "status", "request_id", "permission")
    return {name: _plain(getattr(failure, name)) for name in names}


def _plain(value: Any) -> Any:
    return masked(value) if isinstance(value, str) else value
