"""A run as it was recorded: its hooks with what they got, in order."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ...callbacks import Logs
from ...callbacks.vocabulary import CORE_COLUMNS, MIN

PULSE = "pulse"
"""Stands for a hook where a recording tells of the midst of a unit, of which no hook tells."""


class Moment(NamedTuple):
    """One hook of a recorded run.

    Attributes
    ----------
    hook
        Its name, ``"on_batch_end"`` say, or `PULSE`.
    subject
        Its first argument: a stage or a batch; None where it has none.
    logs
        What it got; of a pulse ``part``, ``message`` and ``elapsed``.
    """

    hook: str
    subject: Any
    logs: Logs


@dataclass(frozen=True, slots=True)
class Recording:
    """A run as it was recorded.

    Attributes
    ----------
    params
        As callbacks know them.
    moments
        Returns the run's hooks in order, from ``on_pipeline_begin`` to
        ``on_pipeline_end``.
    """

    params: Mapping[str, Any]
    moments: Callable[[], Iterator[Moment]]


def params_of(job_id: str, stages: list[dict[str, Any]], **known: Any) -> dict[str, Any]:
    """Return a recorded run's params: what nobody recorded is None or empty."""
    unknown = dict.fromkeys(("pipeline", "seed", "time_limit", "workers"))
    return {
        **unknown,
        "goal": MIN,
        "parameters": {},
        "callbacks": [],
        **known,
        "job_id": job_id,
        "stages": stages,
        "replayed": True,
    }


def stage_about(name: str, unit: str, metrics: tuple[str, ...], start: float, end: float) -> Any:
    """Return what params tell of a stage."""
    label = name.replace("_", " ").capitalize()
    return {
        "name": name,
        "label": label,
        "unit": unit,
        "metrics": metrics,
        "start": start,
        "end": end,
        "tunable": (),
    }


def batch_moments(batch: int, logs: Logs, before: Logs) -> Iterator[Moment]:
    """Return the hooks of one batch: its beginning, its end, and a new best.

    Parameters
    ----------
    batch
        Its number.
    logs
        What ``on_batch_end`` got.
    before
        What it got for the batch before, of this stage or the last one.
    """
    same = before.get("stage") == logs["stage"]
    begin = {name: logs[name] for name in ("stage", "unit")}
    done, total = (before["done"], before["total"]) if same else (0, None)
    yield Moment("on_batch_begin", batch, {**begin, "done": done, "total": total})
    yield Moment("on_batch_end", batch, logs)
    best = (logs["violations"], logs["cost"])
    if best != (before.get("violations"), before.get("cost")) and logs["cost"] is not None:
        about = {name: logs[name] for name in CORE_COLUMNS}
        yield Moment("on_solution", None, {"batch": batch, **about})
