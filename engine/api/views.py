"""What the engine knows, as the models of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from engine.app.serving.input_rows import input_tables
from engine.report.findings.located import Located, locate_all
from engine.report.masking import masked
from engine.run import response_file

from . import models

if TYPE_CHECKING:
    from engine.app.reload.generation import Generation
    from engine.app.reload.reloader import Reload
    from engine.app.serving.runs import Ordered
    from engine.run import Outcome, RunRecord, StepRecord
    from engine.spec import InterfaceSpec, ScheduleSpec

MOST_RESPONDED: Final = 10_000


def generation_view(live: Generation, last: Reload | None) -> models.Generation:
    """The live generation, and what the last look at the files has left waiting."""
    return models.Generation(
        number=live.number,
        digest=live.digest,
        made=live.made,
        interfaces=list(live.checked.project.interfaces),
        held=list(live.held),
        pending=_pending(last),
        fixed=list(last.fixed) if last is not None else [],
    )


def _pending(last: Reload | None) -> models.Pending | None:
    pending = last.pending if last is not None else None
    if pending is None:
        return None
    return models.Pending(digest=pending.digest, risks=list(pending.risks), since=pending.since)


def reload_view(reload: Reload) -> models.Reload:
    """How a look at the files ended."""
    live, delta = reload.generation, reload.delta
    found = locate_all(reload.offered.diagnostics, reload.offered.tree)
    return models.Reload(
        generation=live.number if live is not None else None,
        is_new=reload.is_new,
        added=list(delta.added),
        changed=list(delta.changed),
        removed=list(delta.removed),
        held=list(live.held) if live is not None else [],
        pending=_pending(reload),
        fixed=list(reload.fixed),
        errors=_count(found, "error"),
        warnings=_count(found, "warning"),
    )


def findings_view(reload: Reload | None) -> models.Findings:
    """What is wrong with the definitions on disk."""
    found = locate_all(reload.offered.diagnostics, reload.offered.tree) if reload is not None else []
    return models.Findings(
        errors=_count(found, "error"),
        warnings=_count(found, "warning"),
        findings=[_finding(each) for each in found],
    )


def _count(found: Sequence[Located], severity: str) -> int:
    return sum(str(each.severity) == severity for each in found)


def _finding(found: Located) -> models.Finding:
    region = found.region
    place = None
    if region is not None:
        place = models.Region(
            file=region.file,
            line=region.start_line,
            column=region.start_column,
            end_line=region.end_line,
            end_column=region.end_column,
        )
    return models.Finding.model_validate(
        {
            "code": found.code,
            "severity": str(found.severity),
            "title": found.title,
            "message": found.message,
            "where": found.where,
            "place": place,
            "hint": found.hint,
        }
    )


def interfaces_view(live: Generation, due: Mapping[str, datetime]) -> models.Interfaces:
    """The interfaces of a generation."""
    found = live.checked.project.interfaces
    views = [_interface(live, name, each.spec, due.get(name)) for name, each in found.items()]
    return models.Interfaces(generation=live.number, interfaces=views)


def _interface(live: Generation, name: str, spec: InterfaceSpec, due: datetime | None) -> models.Interface:
    tables = live.checked.project.tables
    return models.Interface(
        name=name,
        description=spec.description,
        is_active=spec.is_active,
        api=spec.triggers.api,
        schedule=_schedule(spec.schedule) if spec.schedule is not None else None,
        due=due,
        parameters={
            key: models.Parameter(type=each.type, default=each.default, description=each.description)
            for key, each in spec.parameters.items()
        },
        rows_for={
            table: {column.name: str(column.type) for column in tables[table].relation}
            for table in sorted(input_tables(live.checked, name))
            if table in tables
        },
        steps=[spec.step_name(index) for index in range(len(spec.steps))],
    )


def _schedule(schedule: ScheduleSpec) -> str:
    if schedule.cron is not None:
        return f"{schedule.cron} ({schedule.timezone})"
    return f"every {schedule.every.total_seconds():g}s" if schedule.every is not None else ""


def run_view(ordered: Ordered) -> models.Run:
    """A run of this process."""
    return models.Run.model_validate(_of_ordered(ordered))


def run_with_steps(ordered: Ordered) -> models.RunWithSteps:
    """A run of this process, with what it responds."""
    outcomes = ordered.run.outcomes if ordered.run is not None else ()
    steps = [_step_of(each) for each in outcomes]
    responses = [response for each in outcomes if (response := _response(each.response, each.id, each.counts))]
    return models.RunWithSteps.model_validate({**_of_ordered(ordered), "steps": steps, "responses": responses})


def _of_ordered(ordered: Ordered) -> dict[str, object]:
    return {
        "id": ordered.id,
        "interfaces": [ordered.interface],
        "status": ordered.status,
        "by": ordered.by,
        "generation": ordered.generation,
        "ordered": ordered.at,
        "started": ordered.started,
        "ended": ordered.ended,
        "counts": dict(ordered.run.counts) if ordered.run is not None else {},
        "exit_code": int(ordered.code) if ordered.code is not None else None,
        "timed_out": ordered.timed_out,
        "message": masked(ordered.message) if ordered.message else None,
    }


def _step_of(outcome: Outcome) -> models.Step:
    return models.Step(
        step=outcome.id,
        kind=outcome.kind,
        status=outcome.status,
        started=outcome.started,
        ended=outcome.ended,
        counts=dict(outcome.counts),
        code=outcome.code,
        message=masked(outcome.message) if outcome.message else None,
        hint=masked(outcome.hint) if outcome.hint else None,
    )


def _response(file: Path | None, step: str, counts: Mapping[str, int]) -> models.Response | None:
    from engine.duck import result_rows

    if file is None or not file.is_file():
        return None
    rows = result_rows(file, MOST_RESPONDED)
    total = counts.get("rows", len(rows))
    return models.Response(step=step, rows=total, is_whole=len(rows) == total, data=[dict(row) for row in rows])


def record_view(record: RunRecord) -> models.Run:
    """A run of the history."""
    return models.Run.model_validate(_of_record(record))


def record_with_steps(record: RunRecord, steps: Sequence[StepRecord], folder: Path) -> models.RunWithSteps:
    """A run of the history with its steps, and what it has responded if that was kept in `folder`."""
    responses = [
        response
        for each in steps
        if each.kind == "respond" and each.status == "succeeded"
        if (response := _response(folder / response_file(each.step), each.step, each.counts))
    ]
    views = [
        {
            "step": each.step,
            "kind": each.kind,
            "status": each.status,
            "started": each.started,
            "ended": each.ended,
            "counts": dict(each.counts),
            "message": masked(each.message) if each.message else None,
        }
        for each in steps
    ]
    return models.RunWithSteps.model_validate({**_of_record(record), "steps": views, "responses": responses})


def _of_record(record: RunRecord) -> dict[str, object]:
    return {
        "id": record.id,
        "interfaces": list(record.interfaces),
        "status": record.status,
        "by": record.user,
        "started": record.started,
        "ended": record.ended,
        "counts": dict(record.counts),
    }
