"""Reads what Redis keeps of a run as a recording."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from ...callbacks import Logs, Snapshot
from ...callbacks.remote.job_keys import JobKeys
from ...callbacks.remote.redis_connection import connect, explained
from ...callbacks.remote.snapshot_fields import read_number, read_snapshot_values
from ...callbacks.snapshot import own_message
from ...callbacks.vocabulary import CORE_COLUMNS, END_COLUMNS, GOALS, INTERRUPTED, RUN_COLUMNS
from ...stages.needing import needing
from ..checked_json import told_as
from ..watching.unknown_job_error import UnknownJobError
from ..watching.watch import known_url
from .recording import PULSE, Moment, Recording, batch_moments, params_of

_MOST_EVENTS = 50_000


def read_redis(job_id: str, url: str | None, prefix: str) -> Recording:
    """Read the stream of a `RedisLogger`: of the batches those that it has seen.

    Raises
    ------
    UnknownJobError
        If the server knows no such run.
    RedisUnavailableError
        If the server cannot be used.
    """
    with needing("a recording in Redis"):
        from redis import RedisError

    url = known_url(url)
    keys = JobKeys(job_id, prefix)
    try:
        with connect(url) as client:
            known: Any = client.hgetall(keys.snapshot)
            events: Any = client.xrange(keys.events, count=_MOST_EVENTS)
    except (RedisError, OSError) as error:
        raise explained(error, url) from None
    if not known or not events:
        raise UnknownJobError(f"Redis knows no run {job_id!r}")
    fields = _in_order([fields for _, fields in events])
    params = _params(job_id, known, fields)
    return Recording(params, lambda: _moments(params, fields))


def _params(job_id: str, known: Mapping[str, str], events: list[dict[str, str]]) -> dict[str, Any]:
    """Put together what callbacks are told; the stream's beginning may be trimmed."""
    told = told_as(events[0].get("logs"), dict).get("params")
    told = dict(told) if isinstance(told, dict) else {}
    told.pop("job_id", None)
    stages = told.pop("stages", None) or told_as(known.get("stages"), list)
    names = ("name", "label", "unit", "metrics", "start", "end")
    stages = [one for one in stages if isinstance(one, dict)]
    rows = [{name: stage.get(name) for name in names} | {"tunable": ()} for stage in stages]
    for row in rows:
        # Of a stage that declared none its batches are to tell.
        row["metrics"] = None if row["metrics"] is None else tuple(row["metrics"])
    seed, limit = read_number(known.get("seed", "")), read_number(known.get("time_limit", ""))
    about = {"seed": seed, "time_limit": limit, "goal": known.get("goal"), **told}
    if about["goal"] not in GOALS:
        del about["goal"]
    return params_of(job_id, rows, **about)


def _in_order(events: list[dict[str, str]]) -> list[dict[str, str]]:
    """Return each event once, in the order in which the run counted them.

    One that was sent again, since the server did not answer, stands in the stream
    twice. A run that went on from a backup has several beginnings: how the one
    before ended, and what it did after the backup, is left out.
    """
    by_seq: dict[float, dict[str, str]] = {}
    seq = 0.0
    for fields in events:
        known = read_number(fields.get("seq", ""))
        # What has no number stays behind what it came after.
        seq = math.nextafter(seq, math.inf) if known is None else float(known)
        by_seq.setdefault(seq, fields)
    kept: list[dict[str, str]] = []
    goes_on = False
    for _, fields in sorted(by_seq.items()):
        event = fields.get("event")
        if event == "pipeline_begin" and kept:
            kept = [one for one in kept if one.get("event") != "pipeline_end"]
            goes_on = True
            continue
        if event == "stage_begin" and goes_on:
            goes_on = False
            kept = _up_to(fields.get("stage"), kept)
        kept.append(fields)
    return kept


def _up_to(stage: str | None, events: list[dict[str, str]]) -> list[dict[str, str]]:
    """Leave out what came after a stage, and its end, since the run went on in that stage."""
    begins = [
        number
        for number, fields in enumerate(events)
        if fields.get("event") == "stage_begin" and fields.get("stage") == stage
    ]
    if not begins:
        return events
    within = [one for one in events[begins[0] :] if one.get("stage") == stage]
    return events[: begins[0]] + [one for one in within if one.get("event") != "stage_end"]


def _moments(params: Mapping[str, Any], events: list[dict[str, str]]) -> Iterator[Moment]:
    """Make a run's hooks of the stream's events."""
    before: Logs = {"progress": 0.0, "elapsed": 0.0, "cost": None, "violations": None}
    stage: str | None = None
    batch = -1
    if events[0].get("event") != "pipeline_begin":
        yield Moment("on_pipeline_begin", None, dict(before))
    for fields in events:
        event, logs = fields.get("event"), told_as(fields.get("logs"), dict)
        if event == "pipeline_begin":
            logs.pop("params", None)
            yield Moment("on_pipeline_begin", None, {**before, **logs})
        elif event == "stage_begin" and "stage" in logs:
            if logs["stage"] == stage:
                # The run went on in it from a backup.
                continue
            stage, batch = logs["stage"], -1
            yield Moment("on_stage_begin", stage, logs)
        elif event == "pipeline_end":
            yield Moment("on_pipeline_end", None, logs)
            return
        elif stage is not None and logs.get("stage") == stage:
            ends = event == "stage_end"
            number = int(logs.get("batches", 0)) - 1 if ends else read_number(fields["batch"])
            if isinstance(number, int) and number > batch and _is_whole(logs):
                batch = number
                row = {name: value for name, value in logs.items() if name not in END_COLUMNS}
                yield from batch_moments(number, row, before)
                before = row
            if ends:
                yield Moment("on_stage_end", stage, logs)
                stage = None
            elif event == "snapshot":
                yield _pulse(fields)
        elif stage is not None and event == "snapshot":
            yield _pulse(fields)
    # The run is lost, or goes on still.
    if stage is not None:
        about = {"batches": batch + 1, "seconds": 0.0, "ended_by": INTERRUPTED}
        yield Moment("on_stage_end", stage, {**before, "stage": stage, **about, "stopped_by": None})
    core = {name: before[name] for name in RUN_COLUMNS}
    end = {"status": INTERRUPTED, "stopped_by": None, "stage": stage, **core, "error": None}
    yield Moment("on_pipeline_end", None, end)


def _pulse(fields: Mapping[str, str]) -> Moment:
    """Make a pulse of a snapshot: how much of the unit in hand was done, and what was said."""
    snapshot = Snapshot(**read_snapshot_values(fields))
    part = None
    if snapshot.total:
        part = min(1.0, max(0.0, snapshot.stage_progress * snapshot.total - snapshot.done))
    about = {"part": part, "message": own_message(snapshot), "elapsed": snapshot.elapsed}
    return Moment(PULSE, None, about)


def _is_whole(logs: Logs) -> bool:
    return all(name in logs for name in CORE_COLUMNS)
