"""Anneals that tasks carry on, chunk by chunk."""

import time
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...evolution.individual import Individual
from ...plain_data import as_number
from ..search import Anneal, Schedule, SearchProblem, start_anneal

CHUNK_SECONDS = 0.08
CHUNK_MOVES = 200_000

# Positions in an anneal's clock.
MOVES_LEFT, LEVEL, MOVES_MADE = 0, 1, 4
COST = 1

_ARRAYS = ("best_period", "best_room", "best_total", "rng", "clock")


class AnnealingJob:
    """An anneal on its way, measured in moves or, with a deadline, in time."""

    def __init__(
        self,
        anneal: Anneal,
        schedule: Schedule,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.anneal = anneal
        self.schedule = schedule
        self.clock = clock
        self.deadline: float | None = None
        self.speed = 1e6
        self.submitted = (0.0, 0)

    def begin(self, seconds: float | None) -> None:
        """Give the anneal so much time on its clock; None for its moves to decide."""
        if seconds is not None:
            self.deadline = self.clock() + seconds

    @property
    def moves_left(self) -> int:
        if self.deadline is None:
            return self.anneal.moves_left
        return int(max(self.deadline - self.clock(), 0.0) * self.speed)

    @property
    def moves_made(self) -> int:
        return int(self.anneal.clock[MOVES_MADE])

    @property
    def temperature(self) -> float:
        """The present one."""
        schedule = self.schedule
        last = schedule.levels - 1
        step = min(max(int(self.anneal.clock[LEVEL]), 0), last) / max(last, 1)
        return schedule.start * (schedule.end / schedule.start) ** step

    @property
    def cost(self) -> int:
        """Of the present timetable, without its violations."""
        return int(self.anneal.timetable.total[COST])

    def moves_until(self, step: int, steps: int) -> int:
        """Return the moves made when so many of so many steps are done: whole chunks."""
        chunks = -(-self.schedule.moves // CHUNK_MOVES)
        return min(chunks * step // steps * CHUNK_MOVES, self.schedule.moves)

    def change(self, **values: float) -> None:
        """Change how the anneal goes on."""
        if any(getattr(self.schedule, name) != value for name, value in values.items()):
            self.schedule = replace(self.schedule, **values)

    def next_chunk(self) -> int:
        """Return how many moves the next task makes."""
        self.submitted = (time.monotonic(), self.moves_made)
        if self.deadline is None:
            return CHUNK_MOVES
        chunk = int(min(self.deadline - self.clock(), CHUNK_SECONDS) * self.speed)
        self.anneal.clock[MOVES_LEFT] = max(self.moves_left, chunk, 1)
        return max(chunk, 1)

    def take(self, anneal: Anneal) -> None:
        """Take the result of a task and learn its speed."""
        self.anneal = anneal
        begun, moves = self.submitted
        took = max(time.monotonic() - begun, 1e-6)
        measured = (self.moves_made - moves) / took
        self.speed = 0.5 * self.speed + 0.5 * measured

    def individual(self) -> Individual:
        violations, cost = (int(value) for value in self.anneal.best_total)
        return Individual(self.anneal.best_period, self.anneal.best_room, violations, cost)

    def state_dict(self, anneal: Anneal) -> dict[str, Any]:
        """Return where the job is with its anneal, as plain data."""
        left = None if self.deadline is None else max(self.deadline - self.clock(), 0.0)
        return {
            "period": anneal.timetable.period.copy(),
            "room": anneal.timetable.room.copy(),
            **{name: getattr(anneal, name).copy() for name in _ARRAYS},
            "schedule": {one.name: getattr(self.schedule, one.name) for one in fields(Schedule)},
            "seconds_left": left,
            "speed": float(self.speed),
        }

    @classmethod
    def restored(
        cls, problem: SearchProblem, state: dict[str, Any], clock: Callable[[], float]
    ) -> "AnnealingJob":
        """Go on where a job was, on another clock.

        Raises
        ------
        ValueError
            For what cannot be an anneal of the problem.
        """
        values = {one.name: one.type(as_number(state["schedule"][one.name])) for one in _numbers()}
        schedule = Schedule(**values)
        if not (schedule.end > 0 and schedule.start > 0 and schedule.levels > 0 < schedule.moves):
            raise ValueError(f"no schedule of an anneal: {schedule}")
        lectures = len(problem.course)
        sizes = {"period": len(problem.day), "room": len(problem.capacity)}
        for name, size in sizes.items():
            for place in (state[name], state[f"best_{name}"]):
                _check(place, np.int64, (lectures,))
                if not np.all((place >= -1) & (place < size)):
                    raise ValueError(f"{name} must be a place of each lecture, below {size}")
        rng = np.asarray(state["rng"])
        _check(rng, np.uint64, (4,))
        anneal = start_anneal(problem, state["period"], state["room"], schedule, rng.copy())
        for name in _ARRAYS:
            target: NDArray[Any] = getattr(anneal, name)
            _check(state[name], target.dtype, target.shape)
            target[...] = state[name]
        job = cls(anneal, schedule, clock)
        job.speed = max(float(as_number(state["speed"], least=0)), 1.0)
        if state["seconds_left"] is not None:
            job.begin(float(as_number(state["seconds_left"], least=0)))
        return job


def _numbers() -> list[Any]:
    return [one for one in fields(Schedule) if one.type in (int, float)]


def _check(array: Any, dtype: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != shape:
        raise ValueError(f"expected {np.dtype(dtype)} of shape {shape}, got {array!r:.40}")
