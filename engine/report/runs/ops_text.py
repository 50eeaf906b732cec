"""A write of the ledger for people and programs: what was sent, its outcome, what that means, and what to do."""

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
    "create": "creates an object",
    "update": "updates an object",
    "replace": "creates an object that replaces another one",
    "replaced": "retires an object that was replaced",
    "retire": "retires an object whose row no longer exists",
    "call": "calls a function",
}
_RETRY: Final = "the next run compares the row again and, if it still differs, writes it under a new id"
_WIDTH: Final = 12


def key_label(op: Op) -> str:
    """The key of its row in readable form."""
    return masked(", ".join(str(part) for part in json.loads(op.key)))


def op_reason(op: Op) -> str:
    """The reason of a failure, or a note, on one line."""
    text = op.failure.message if op.failure is not None and op.state is not OpState.DONE else op.note
    return masked(" ".join((text or "").split()))


def what_it_means(op: Op) -> str:
    """What its state means for the provider."""
    match op.state:
        case OpState.PLANNED:
            return "It was recorded but not sent: the provider has not received it."
        case OpState.SENT | OpState.UNKNOWN:
            return "It may have reached the provider, and its outcome is unknown. Its row is not written again."
        case OpState.DONE:
            return "The provider has applied it."
        case OpState.FAILED:
            return "The provider rejected it: nothing has changed there."
        case OpState.QUARANTINED:
            return "Its outcome is unknown. Its row is not written again until the outcome is recorded."
        case OpState.DROPPED:
            return "As far as known it was not applied, and it will not be sent again."


def what_next(op: Op, now: datetime, *, running: bool) -> str:
    """What will happen to it, and what a person can do."""
    if op.state in DOUBTFUL_STATES:
        return _doubtful(op, now, running=running)
    match op.state:
        case OpState.PLANNED if running:
            return "A run is in progress: it is sent in its turn."
        case OpState.PLANNED:
            return f"Nothing to do: {_RETRY}."
        case OpState.FAILED:
            hint = f" ({op.failure.hint})" if op.failure is not None and op.failure.hint else ""
            return f"Fix the cause of the rejection{hint}: {_RETRY}."
        case OpState.DROPPED:
            return f"Nothing to do: {_RETRY}."
        case _:
            return "Nothing to do."


def _doubtful(op: Op, now: datetime, *, running: bool) -> str:
    made = " --object ID" if op.use in ("create", "replace") else ""
    record = f"record the outcome with `weir ops resolve {op.id} --done{made}` or `--not-done`"
    look = "Look for it at the provider"
    if op.request is not None:
        look += f" (its log has the request {op.request})"
    if op.state is OpState.QUARANTINED:
        return f"{look}, and {record}."
    if running:
        return "A run is in progress that may resolve it: wait until it has ended."
    until = sent_again_until(op)
    if until is not None and now < until:
        deadline = until.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
        own = f"Run it again before {deadline} UTC: it is sent under the same id, which is applied only once."
    elif until is None and op.sent is not None:
        own = "The next run looks it up: the provider would only repeat the error that it stored for this id."
    else:
        own = "The next run looks it up: the provider may no longer know its id."
    return f"{own} Or {look[0].lower()}{look[1:]}, and {record}."


def what_follows(op: Op) -> str:
    """The consequence of the recorded outcome."""
    if op.state is not OpState.DONE:
        return "the next run compares its row again, and writes it if it still differs"
    match op.use:
        case "create" | "replace":
            old = " The object that it replaces is not changed." if op.use == "replace" else ""
            return (
                f"its row now belongs to {op.result}; the next run reads the object, and updates what differs. "
                f"If the provider has no such object, the row is written again.{old}"
            )
        case "retire":
            return f"{op.object} counts as retired"
        case "call":
            return "the function is not called again for its row; its result is not imported"
        case _:
            return "the next run compares its object again, and updates what differs"


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
        yield "created" if made else "result", op.result
    yield "step", f"{op.step}, number {op.number} of run {op.run}"
    yield "connection", op.connection
    for name, timestamp in (("planned", op.planned), ("sent", op.sent), ("ended", op.ended)):
        if timestamp is not None:
            yield name, f"{timestamp.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    if op.request is not None:
        yield "request", op.request
    if op.requires is not None:
        yield "after", op.requires
    if op.note is not None:
        yield "note", op.note
    if op.answer is not None:
        yield "mirror", "does not contain the result yet: the next run adds it"


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
    """A write as JSON values, without the provider's answer, which may contain a secret."""
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
    """As `op_json`, with its meaning and what to do next."""
    return {**op_json(op), "means": what_it_means(op), "next": _plain(what_next(op, now, running=running))}


def _failure_json(failure: Failure) -> dict[str, Any]:
    names = ("kind", "message", "hint", "type", "code", "param", "status", "request_id", "permission")
    return {name: _plain(getattr(failure, name)) for name in names}


def _plain(value: Any) -> Any:
    return masked(value) if isinstance(value, str) else value
