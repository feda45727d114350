"""The anneal of a timetable as the genetic algorithm carries it on."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from ...plain_data import as_number
from ...problem import Genes
from ...tasks.task import Task
from ..constraints.search.weights import COST
from ..search import Anneal, Schedule, SearchProblem, anneal_chunk, start_anneal
from ..search.annealing import LEVEL, MOVES_LEFT, MOVES_MADE

# Part of the proposals that are two Kempe chains, on a usual instance.
DOUBLE_CHAINS = 0.07

_ARRAYS = ("best_period", "best_room", "best_total", "rng", "clock")


class TimetableAnneal:
    """An anneal and its schedule; a `schoolbell.stages.problem.Anneal`.

    Parameters
    ----------
    problem
        The instance as arrays.
    anneal
        Where the anneal is.
    schedule
        How it cools.
    chains
        How many times as many Kempe chains are proposed as on a usual instance.
    """

    def __init__(
        self, problem: SearchProblem, anneal: Anneal, schedule: Schedule, chains: float = 1.0
    ) -> None:
        self.problem = problem
        self.anneal = anneal
        self.schedule = schedule
        self.chains = chains

    @property
    def moves(self) -> int:
        """Moves proposed in all."""
        return self.schedule.moves

    @property
    def moves_made(self) -> int:
        """Moves proposed so far."""
        return int(self.anneal.clock[MOVES_MADE])

    @property
    def moves_left(self) -> int:
        """Moves until the anneal ends."""
        return self.anneal.moves_left

    @moves_left.setter
    def moves_left(self, moves: int) -> None:
        self.anneal.clock[MOVES_LEFT] = moves

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

    @property
    def best(self) -> tuple[Genes, int, int]:
        """The best timetable so far, its violations and its cost."""
        violations, cost = (int(value) for value in self.anneal.best_total)
        genes = {"period": self.anneal.best_period, "room": self.anneal.best_room}
        return genes, violations, cost

    def change(self, end: float, kempe: float, violation: float) -> None:
        """Go on with other settings."""
        values = schedule_values(end, kempe, violation, self.chains)
        if any(getattr(self.schedule, name) != value for name, value in values.items()):
            self.schedule = replace(self.schedule, **values)

    def chunk(self, moves: int) -> Task:
        """Return a task that makes so many moves."""
        return Task(anneal_chunk, (self.problem, self.anneal, self.schedule, moves), self._later)

    def _later(self, anneal: Anneal) -> TimetableAnneal:
        return TimetableAnneal(self.problem, anneal, self.schedule, self.chains)

    def state_dict(self) -> dict[str, Any]:
        """Return where the anneal is, as plain data."""
        anneal, schedule = self.anneal, self.schedule
        return {
            "period": anneal.timetable.period.copy(),
            "room": anneal.timetable.room.copy(),
            **{name: getattr(anneal, name).copy() for name in _ARRAYS},
            "schedule": {one.name: getattr(schedule, one.name) for one in fields(Schedule)},
        }

    @classmethod
    def of_state(
        cls, problem: SearchProblem, state: dict[str, Any], chains: float
    ) -> TimetableAnneal:
        """Go on where an anneal was.

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
        return cls(problem, anneal, schedule, chains)


class _Changing(TypedDict):
    """What of a schedule may change while an anneal is on its way."""

    end: float
    kempe: float
    double: float
    violation: float


def schedule_values(end: float, kempe: float, violation: float, chains: float) -> _Changing:
    """Return what of a schedule may change while an anneal is on its way."""
    return {
        "end": end,
        "kempe": min(kempe * chains, 1.0),
        "double": DOUBLE_CHAINS * chains,
        "violation": violation,
    }


def _numbers() -> list[Any]:
    return [one for one in fields(Schedule) if one.type in (int, float)]


def _check(array: Any, dtype: Any, shape: tuple[int, ...]) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != dtype or array.shape != shape:
        raise ValueError(f"expected {np.dtype(dtype)} of shape {shape}, got {array!r:.40}")
