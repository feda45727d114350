"""The routes of jobs."""

import csv
import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse, JSONResponse

from ...problems.choosing import problem_of
from ...problems.problem_kind import Kind
from ..jobs.job import Job
from ..jobs.job_files import FILES, files_of
from ..jobs.job_state import STATUSES
from ..jobs.job_store import KeyReusedError
from .event_stream import EventStream, event_stream, is_event_id
from .metrics import ServiceMetrics, metrics_text
from .problem import PROBLEMS, Problem
from .service import Owner, OwnJob, TheService, owner_of
from .submission import JOB_BODY, VALIDATE_BODY, as_file, as_text, read_fields, read_job

router = APIRouter(prefix="/v1", responses=PROBLEMS, dependencies=[Depends(owner_of)])

_COMMANDS = {"stop": "stop", "skip-stage": "skip_stage", "pause": "pause", "resume": "resume"}
_Status = Literal["queued", "running", "paused", "finished", "stopped", "failed", "lost"]
_MOST_POINTS = 1_000

# A page that shows what strangers have sent runs apart from everything else here.
_APART = (
    "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
)


@router.post("/jobs", status_code=202, openapi_extra=JOB_BODY)
async def submit(
    request: Request,
    response: Response,
    service: TheService,
    owner: Owner,
    idempotency_key: Annotated[str | None, Header(max_length=200)] = None,
) -> dict[str, Any]:
    """Start a job; with an idempotency key the same request starts one only."""
    asked, instance = await read_job(request, service.settings.max_upload)
    job = await run_in_threadpool(_submitted, service, asked, instance, owner, idempotency_key)
    response.headers["Location"] = f"{request.scope.get('root_path', '')}/v1/jobs/{job.id}"
    return (await run_in_threadpool(_told, service, job)) | {"links": _links(job)}


def _submitted(service: Any, asked: Any, instance: bytes, owner: str, key: str | None) -> Job:
    known = None if key is None else service.store.keyed(owner, key)
    if known is None:
        service.check_quotas(owner)
    try:
        return service.submit(asked, instance, owner, key)[0]
    except KeyReusedError as error:
        raise Problem(422, str(error)) from None


def _told(service: Any, job: Job) -> dict[str, Any]:
    return service.tell([job])[0]


@router.get("/jobs")
def jobs(
    service: TheService,
    owner: Owner,
    status: Annotated[list[_Status] | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(max_length=60)] = None,
) -> dict[str, Any]:
    """List jobs, the newest first; ``next`` is what to give as ``before`` for the next page."""
    wanted = set(status or STATUSES)
    found: list[dict[str, Any]] = []
    own = [job for job in service.jobs_of(owner) if before is None or job.id < before]
    for start in range(0, len(own), limit):
        found += [
            one for one in service.tell(own[start : start + limit]) if one["status"] in wanted
        ]
        if len(found) > limit:
            break
    page = found[:limit]
    for one in page:
        # It is large, and there for each job alone.
        one.pop("snapshot")
    more = len(found) > limit
    return {"jobs": page, "next": page[-1]["id"] if more else None}


@router.get("/jobs/{job_id}", name="job")
def job(service: TheService, job: OwnJob) -> dict[str, Any]:
    """Tell of a job: what was asked for, its status and why, and its newest snapshot."""
    return _told(service, job) | {"links": _links(job)}


def _links(job: Job) -> dict[str, str]:
    own = f"v1/jobs/{job.id}"
    return {"self": own, "events": f"{own}/events", "files": f"{own}/files"}


@router.get("/jobs/{job_id}/events", response_class=EventStream)
def events(
    service: TheService,
    job: OwnJob,
    last_event_id: Annotated[str | None, Header()] = None,
    after: Annotated[str | None, Query(description="As the header Last-Event-ID.")] = None,
) -> EventStream:
    """Tell what happens, as server-sent events, until the job has ended."""
    seen = last_event_id or after
    seen = seen if is_event_id(seen) else None
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return EventStream(event_stream(service.feeds, job, seen), headers=headers)


@router.post("/jobs/{job_id}/{command}", status_code=202)
def steer(
    service: TheService, job: OwnJob, command: Literal["stop", "skip-stage", "pause", "resume"]
) -> dict[str, Any]:
    """Ask something of a job; that it was done is seen in its events."""
    service.command(job, _COMMANDS[command])
    return _told(service, job)


@router.delete("/jobs/{job_id}", status_code=204)
def delete(service: TheService, job: OwnJob) -> None:
    """End a job and remove it with all its files."""
    if job.result is None:
        service.command(job, "stop")
        job.disown()
    else:
        job.remove()


@router.get("/jobs/{job_id}/files/{name}", response_class=FileResponse)
def file(job: OwnJob, name: str) -> FileResponse:
    """Give a file: solution, page, table, timetable, log, run.json or instance."""
    files = files_of(job.kind)
    by_file = {own: kind for kind, (own, _) in files.items()}
    kind = name if name in files else by_file.get(name)
    if kind is None:
        raise Problem(404, f"there is no file {name[:60]!r}, expected one of {', '.join(FILES)}")
    if not job.path(kind).is_file():
        raise Problem(404, f"job {job.id} has no {kind} yet")
    own, media_type = files[kind]
    headers = {"Content-Security-Policy": _APART, "Cache-Control": "no-cache"}
    shown = kind == "page"
    disposition = "inline" if shown else "attachment"
    return FileResponse(
        job.path(kind),
        headers=headers,
        media_type=media_type,
        filename=f"{job.id}-{own}",
        content_disposition_type=disposition,
    )


@router.get("/jobs/{job_id}/violations")
def violations(job: OwnJob) -> dict[str, Any]:
    """List the violations and the costs of the newest best timetable, in words."""
    try:
        return json.loads(job.findings.read_text(encoding="utf-8"))
    except OSError:
        raise Problem(404, f"job {job.id} has no timetable yet") from None


@router.get("/jobs/{job_id}/curve")
def curve(job: OwnJob) -> dict[str, Any]:
    """Tell how the cost fell: points of seconds, cost and violations where one of them changed."""
    points: list[tuple[float, float, float]] = []
    try:
        with job.path("log").open(encoding="utf-8", newline="") as log:
            for row in csv.DictReader(log):
                try:
                    point = (
                        float(row["elapsed"]),
                        float(row["cost"]),
                        float(row["violations"] or 0),
                    )
                except (KeyError, TypeError, ValueError):
                    continue
                if not points or points[-1][1:] != point[1:]:
                    points.append(point)
    except OSError:
        return {"points": []}
    step = len(points) // _MOST_POINTS + 1
    return {"points": points[::step] + points[-1:] if step > 1 else points}


@router.post("/validate", openapi_extra=VALIDATE_BODY)
async def validate(request: Request, service: TheService) -> dict[str, Any]:
    """Count the violations and the cost of a timetable."""
    known = ("instance", "solution", "formulation")
    fields = await read_fields(request, known, service.settings.max_upload)
    instance, solution = as_file(fields, "instance"), as_file(fields, "solution")
    formulation = as_text(fields, "formulation", "UD2")
    check = service.checker.check
    return await run_in_threadpool(check, instance, formulation, solution=solution)


@router.get("/demo", response_class=Response)
def demo(
    kind: Kind = "timetable",
    courses: Annotated[int, Query(ge=1, le=500, description="Of a timetable.")] = 80,
    classes: Annotated[int, Query(ge=1, le=500, description="Of a university.")] = 100,
    seed: Annotated[int, Query(ge=0, le=2**31)] = 2007,
) -> Response:
    """Give a generated instance that has a timetable without violations."""
    problem = problem_of(kind)
    size = {"timetable": courses, "university": classes}[kind]
    # Its text is not packed, as no solution is.
    _, media_type = files_of(kind)["solution"]
    return Response(problem.generate(size, seed).dumps(), media_type=media_type)


@router.get("/service")
def about(service: TheService, owner: Owner) -> dict[str, Any]:
    """Tell who asks, and what the service allows."""
    names = ("max_upload", "max_lectures", "max_jobs", "max_queue", "max_seconds", "keep_days")
    limits = {name: getattr(service.settings, name) for name in names}
    return {"owner": owner, "tokens": bool(service.tokens), "limits": limits}


@router.post("/links", status_code=201)
def new_link(service: TheService, owner: Owner) -> dict[str, str]:
    """Make a link that opens the page in one browser, once and within 10 minutes."""
    return {"link": f"login?key={service.sessions.new_link(owner)}"}


metrics_router = APIRouter(responses=PROBLEMS)


@metrics_router.get("/metrics", response_class=Response)
def metrics(service: TheService, owner: Owner) -> Response:
    """Give the numbers of the service to Prometheus."""
    told = service.tell([job for job in service.store.jobs() if not job.unwanted])
    about = (told, owner, service.queue.rq.count, service.client, service.settings.prefix)
    text = metrics_text(ServiceMetrics(*about))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@metrics_router.get("/healthz")
def healthy() -> dict[str, str]:
    """Tell that the web application is there."""
    return {"status": "ok"}


@metrics_router.get("/readyz")
def ready(service: TheService) -> JSONResponse:
    """Tell whether jobs can be taken: Redis answers and the folder can be written."""
    service.client.ping()
    probe = service.settings.folder / ".ready"
    try:
        probe.write_text("")
    except OSError:
        raise Problem(503, "the service's folder cannot be written") from None
    return JSONResponse({"status": "ready", "queue": service.queue.rq.count})
