"""What each operation does."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING, Final

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from engine.app.errors import Exit, RefusalError
from engine.app.logging import log
from engine.app.serving.engine import Given
from engine.app.serving.runs import OverlapError
from engine.plan.codec import plan_to_json

from . import models, views
from .metrics import CONTENT_TYPE as METRICS_TYPE
from .operation import Answer, Asked
from .problems import ProblemError, not_found, of_refusal
from .stream import CONTENT_TYPE as STREAM_TYPE
from .stream import event_stream

if TYPE_CHECKING:
    from engine.app.reload.generation import Generation
    from engine.app.serving.engine import Engine
    from engine.app.serving.runs import Ordered

    from .metrics import Metrics

_SHORTEST_LOOK: Final = 0.005
_LONGEST_LOOK: Final = 0.2
_RUNS: Final = "GET /runs lists those that there are"
_INTERFACES: Final = "GET /interfaces lists those that there are"


class Handlers:
    """The operations over an engine. `wait` bounds how long a request waits for its run, `streams` how many listen."""

    def __init__(self, engine: Engine, metrics: Metrics, wait: float, streams: int) -> None:
        self._engine = engine
        self._metrics = metrics
        self._wait = wait
        self._streams = streams
        self._listening = 0
        self._reloading = threading.Lock()

    def health(self, _asked: Asked) -> Answer:
        """The server answers."""
        return Answer(200, models.Health(status="ok"))

    def ready(self, _asked: Asked) -> Answer:
        """Whether runs can begin."""
        live = self._live()
        if self._engine.is_stopping:
            raise ProblemError(503, "stopping", "the server is stopping", "ask again when it is back")
        return Answer(200, models.Ready(status="ready", generation=live.number))

    def metrics(self, _asked: Asked) -> Answer:
        """Figures for Prometheus."""
        return Answer(200, response=Response(self._metrics.page(), headers={"content-type": METRICS_TYPE}))

    def generation(self, _asked: Asked) -> Answer:
        """The live generation."""
        return Answer(200, views.generation_view(self._live(), self._engine.last))

    def reload(self, asked: Asked) -> Answer:
        """Read the definitions anew."""
        if asked.one("wait", "0") == "1":
            with self._reloading:
                return Answer(200, views.reload_view(self._engine.reload()))
        accepted = Response(
            models.Accepted(status="accepted").model_dump_json(),
            202,
            media_type="application/json",
            background=BackgroundTask(self._reload_later),
        )
        return Answer(202, response=accepted)

    def findings(self, _asked: Asked) -> Answer:
        """What is wrong with the definitions."""
        return Answer(200, views.findings_view(self._engine.last))

    def interfaces(self, _asked: Asked) -> Answer:
        """The live interfaces."""
        return Answer(200, views.interfaces_view(self._live(), self._engine.due_times()))

    def plan(self, asked: Asked) -> Answer:
        """What a run would do now."""
        name = self._interface(asked.path["name"])
        given: dict[str, str] = {}
        for pair in asked.query.get("param", []):
            key, sign, value = pair.partition("=")
            if not sign or not key or key in given:
                raise ProblemError(400, "invalid", "`param` is NAME=VALUE, each name once")
            given[key] = value
        try:
            _, plan = self._engine.plan((name,), given)
        except RefusalError as error:
            raise of_refusal(error) from None
        return Answer(200, models.Plan.model_validate(plan_to_json(plan)))

    async def run(self, asked: Asked) -> Answer:
        """Have an interface run; wait for it if that is asked for."""
        order = asked.body
        if not isinstance(order, models.RunOrder) or asked.token is None:
            raise AssertionError("this operation has a body and a token")
        by = asked.token.name
        ordered = await run_in_threadpool(self._order, asked.path["name"], by, order)
        if order.wait and await self._is_over(ordered):
            return await run_in_threadpool(self._over, ordered)
        return Answer(202, views.run_view(ordered), run=ordered.id)

    def runs(self, asked: Asked) -> Answer:
        """The newest runs."""
        limit = int(asked.one("limit", "50"))
        wanted = (asked.one("interface", ""), asked.one("status", ""))
        found = {each.id: views.run_view(each) for each in self._engine.runs.listed()}
        for record in self._engine.workspace.runs().runs(max(limit, 1_000) if any(wanted) else limit):
            found.setdefault(record.id, views.record_view(record))
        newest = sorted(found.values(), key=lambda each: each.id, reverse=True)
        interface, status = wanted
        chosen = [
            each
            for each in newest
            if (not interface or interface in each.interfaces) and (not status or status == each.status)
        ]
        return Answer(200, models.Runs(runs=chosen[:limit]))

    def show(self, asked: Asked) -> Answer:
        """A run with its steps."""
        run_id = asked.path["id"]
        ordered = self._engine.runs.find(run_id)
        if ordered is not None and (ordered.run is not None or ordered.code is not None):
            return Answer(200, views.run_with_steps(ordered))
        found = self._engine.workspace.runs().run(run_id)
        if ordered is not None:
            going_on = views.run_with_steps(ordered)
            folder = self._engine.workspace.paths.artefacts / run_id
            steps = views.record_with_steps(*found, folder).steps if found is not None else []
            return Answer(200, going_on.model_copy(update={"steps": steps}))
        if found is None:
            raise not_found(f"no run `{run_id}`", _RUNS)
        return Answer(200, views.record_with_steps(*found, self._engine.workspace.paths.artefacts / run_id))

    def events(self, asked: Asked) -> Answer:
        """The events of a run as they come."""
        run_id = asked.path["id"]
        ordered = self._engine.runs.find(run_id)
        if ordered is None:
            raise not_found(
                f"no events of `{run_id}` are kept",
                "they are kept by the server that ran it; GET /runs/ID has the steps",
            )
        after = int(asked.headers.get("last-event-id", "0"))
        fresh, over = ordered.story.since(after)
        if over and after and not fresh:
            return Answer(204, response=Response(status_code=204))
        if self._listening >= self._streams:
            raise ProblemError(503, "busy", f"{self._listening} callers listen already", "GET /runs/ID tells the same")
        self._listening += 1
        stream = event_stream(ordered.story, after, self._stop_listening)
        return Answer(200, response=StreamingResponse(stream, media_type=STREAM_TYPE))

    def cancel(self, asked: Asked) -> Answer:
        """Have a run stop between two commits."""
        run_id = asked.path["id"]
        ordered = self._engine.runs.find(run_id)
        if ordered is None:
            if self._engine.workspace.runs().run(run_id) is None:
                raise not_found(f"no run `{run_id}`", _RUNS)
            raise ProblemError(409, "not_here", f"`{run_id}` is not a run of this server, or ended long ago", None)
        if ordered.over.is_set():
            raise ProblemError(409, "over", f"`{run_id}` is over: {ordered.status}", None, run=run_id)
        self._engine.runs.stop(ordered)
        log("run is cancelled", run=run_id, by=asked.token.name if asked.token is not None else None)
        return Answer(202, views.run_view(ordered), run=run_id)

    def _live(self) -> Generation:
        live = self._engine.live
        if live is None:
            raise ProblemError(
                503, "not_ready", "no good version of the definitions is live yet", "GET /findings says why"
            )
        return live

    def _interface(self, name: str) -> str:
        if name not in self._live().checked.project.interfaces:
            raise not_found(f"no interface `{name}`", _INTERFACES)
        return name

    def _order(self, name: str, by: str, order: models.RunOrder) -> Ordered:
        spec = self._live().checked.project.interfaces[self._interface(name)].spec
        if not spec.triggers.api:
            raise ProblemError(
                403,
                "not_by_api",
                f"`{name}` may not be run by the API",
                "`triggers: {api: true}` in its definition allows it",
            )
        if self._engine.is_stopping:
            raise ProblemError(503, "stopping", "the server is stopping", "order it again when it is back")
        parameters = {key: _as_text(value) for key, value in order.parameters.items()}
        try:
            return self._engine.order(name, by, Given(parameters, order.rows))
        except OverlapError as error:
            raise of_refusal(error, run=error.run) from None
        except RefusalError as error:
            raise of_refusal(error) from None

    async def _is_over(self, ordered: Ordered) -> bool:
        """Wait for its end; False when that takes too long."""
        deadline = time.monotonic() + self._wait
        pause = _SHORTEST_LOOK
        while not ordered.over.is_set():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(pause)
            pause = min(_LONGEST_LOOK, pause * 1.5)
        return True

    def _over(self, ordered: Ordered) -> Answer:
        """What a caller who has waited gets: the run, or why it did not come to its end."""
        if ordered.status == "succeeded":
            return Answer(200, views.run_with_steps(ordered), run=ordered.id)
        message = ordered.message or f"the run ended as {ordered.status}"
        if ordered.timed_out:
            raise ProblemError(504, "timed_out", message, "`timeout` of the interface says how long", run=ordered.id)
        if ordered.status == "stopped":
            raise ProblemError(409, "stopped", message, None, run=ordered.id)
        code = ordered.code if ordered.code is not None else Exit.FAILED
        problem = of_refusal(RefusalError(code, message), run=ordered.id)
        problem.code = "run_failed" if problem.status == 500 else problem.code
        problem.hint = f"GET /runs/{ordered.id} has its steps"
        raise problem

    def _reload_later(self) -> None:
        with self._reloading:
            self._engine.reload()

    def _stop_listening(self) -> None:
        self._listening -= 1


def _as_text(value: object) -> str:
    """A parameter as it would be typed."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
