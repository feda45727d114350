"""The anneal of a university's timetable as the genetic algorithm carries it on."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...plain_data import as_number
from ...problem import Genes
from ...tasks.task import Task
from ..cost.evaluation import evaluate
from ..search.annealing import (
    MOVES_LEFT,
    MOVES_MADE,
    N_CROWDED,
    N_TROUBLED,
    Anneal,
    Schedule,
    anneal_chunk,
    start_anneal,
)
from ..search.places import Places
from ..search.search_problem import SearchProblem
from ..search.timetable import COST, HARD, Timetable, build_timetable, count_all, seat_occupants

if TYPE_CHECKING:
    from ..search.places import Translation

# As long as required rules are broken, they are counted anew after so many moves.
COUNTED_EVERY = 400_000

_BEST = ("best_row", "best_option", "best_bundle")
_WEIGHTS = ("weight", "room_weight", "global_weight")
_ANNEAL = (*_BEST, "best_total", "settings", "clock", "rng", "troubled", "crowded")


class UniversityAnneal:
    """An anneal and its schedule; a `schoolbell.stages.problem.Anneal`.

    Parameters
    ----------
    translation
        Of the instance.
    timetable, anneal
        Where the anneal is.
    schedule
        How it cools.
    quantum
        What a last temperature of 1 is in units of cost.
    shown
        The best timetable with violations, counted by the definitions, and the moves
        after which it was.
    """

    def __init__(
        self,
        translation: Translation,
        timetable: Timetable,
        anneal: Anneal,
        schedule: Schedule,
        quantum: float,
        shown: tuple[int, Genes, int, int] | None = None,
    ) -> None:
        self.translation = translation
        self.timetable = timetable
        self.anneal = anneal
        self.schedule = schedule
        self.quantum = quantum
        self._shown = shown

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
        return int(self.anneal.clock[MOVES_LEFT])

    @moves_left.setter
    def moves_left(self, moves: int) -> None:
        self.anneal.clock[MOVES_LEFT] = moves

    @property
    def temperature(self) -> float:
        """The present one, in units of cost."""
        schedule = self.schedule
        part = self.moves_made / max(1, self.moves_made + self.moves_left)
        return schedule.start * (schedule.end / schedule.start) ** part

    @property
    def cost(self) -> int:
        """Of the present timetable, without its violations."""
        return int(self.timetable.total[COST])

    @property
    def best(self) -> tuple[Genes, int, int]:
        """The best timetable so far, its violations and its cost."""
        anneal = self.anneal
        if anneal.best_total[HARD] == 0:
            genes: Any = {
                "row": anneal.best_row,
                "option": anneal.best_option,
                "bundle": anneal.best_bundle,
            }
            return genes, 0, int(anneal.best_total[COST])
        # Rules weigh differently in the search, and those of the original are others.
        turn = self.moves_made // COUNTED_EVERY
        if self._shown is None or self._shown[0] != turn or self.moves_left == 0:
            genes = {
                "row": anneal.best_row.astype(np.int64),
                "option": anneal.best_option.astype(np.int64),
                "bundle": anneal.best_bundle.astype(np.int64),
            }
            found = evaluate(self.translation.solution(Places(**genes)))
            if self._shown is None or (found.violations, found.cost) < self._shown[2:]:
                self._shown = turn, genes, found.violations, found.cost
            else:
                self._shown = turn, self._shown[1], self._shown[2], self._shown[3]
        _, genes, violations, cost = self._shown
        return genes, violations, cost

    def change(self, end: float, kempe: float, violation: float) -> None:
        """Go on with other settings."""
        end = min(end * self.quantum, self.schedule.start)
        if (self.schedule.end, self.schedule.chains) != (end, kempe):
            self.schedule = replace(self.schedule, end=end, chains=kempe)

    def chunk(self, moves: int) -> Task:
        """Return a task that makes so many moves."""
        moves = max(1, min(moves, self.moves_left))
        problem = self.translation.problem
        arguments = problem, self.timetable, self.anneal, self.schedule, moves
        return Task(_chunk, arguments, self._later)

    def _later(self, later: tuple[Timetable, Anneal]) -> UniversityAnneal:
        return UniversityAnneal(self.translation, *later, self.schedule, self.quantum, self._shown)

    def state_dict(self) -> dict[str, Any]:
        """Return where the anneal is, as plain data."""
        schedule = self.schedule
        state = {name: getattr(self.anneal, name).copy() for name in _ANNEAL}
        state |= {name: getattr(self.timetable, name).copy() for name in Places._fields}
        state |= {name: getattr(self.timetable, name).copy() for name in _WEIGHTS}
        # In whose order those are met who are in the way.
        state["occupants"] = self.timetable.occupants.copy()
        state["schedule"] = {one.name: getattr(schedule, one.name) for one in fields(Schedule)}
        state["quantum"] = self.quantum
        state["shown"] = self._shown
        return state

    @classmethod
    def of_state(cls, translation: Translation, state: dict[str, Any]) -> UniversityAnneal:
        """Go on where an anneal was.

        Raises
        ------
        ValueError
            For what cannot be an anneal of the instance.
        """
        numbers = [one for one in fields(Schedule) if one.type in ("int", "float")]
        kinds: dict[str, Any] = {"int": int, "float": float}
        values = {
            one.name: kinds[str(one.type)](as_number(state["schedule"][one.name]))
            for one in numbers
        }
        schedule = Schedule(**values)
        if not (schedule.end > 0 and schedule.start > 0 and schedule.moves > 0):
            raise ValueError(f"no schedule of an anneal: {schedule}")
        translation.check(Places(*(state[name] for name in Places._fields)))
        translation.check(Places(*(state[name] for name in _BEST)))
        rng = np.asarray(state["rng"])
        timetable = timetable_of(translation.problem, {n: state[n] for n in Places._fields})
        for name in _WEIGHTS:
            _take_back(getattr(timetable, name), state[name], name)
        seat_occupants(timetable, state["occupants"])
        count_all(translation.problem, timetable)
        anneal = start_anneal(timetable, schedule, np.zeros(4, np.uint64))
        for name in _ANNEAL:
            _take_back(getattr(anneal, name), rng if name == "rng" else state[name], name)
        _check_listed(anneal)
        shown = state["shown"]
        if shown is not None:
            turn, genes, violations, cost = shown
            genes = {name: np.asarray(genes[name]) for name in Places._fields}
            translation.check(Places(**genes))
            shown = int(turn), genes, int(violations), int(cost)
        quantum = float(as_number(state["quantum"], least=0))
        return cls(translation, timetable, anneal, schedule, quantum, shown)


def _chunk(
    problem: SearchProblem, timetable: Timetable, anneal: Anneal, schedule: Schedule, moves: int
) -> tuple[Timetable, Anneal]:
    anneal_chunk(problem, timetable, anneal, schedule, moves)
    return timetable, anneal


def timetable_of(problem: SearchProblem, genes: Genes) -> Timetable:
    """Make a timetable of an individual's arrays."""
    return build_timetable(problem, genes["row"], genes["option"], genes["bundle"])


def _check_listed(anneal: Anneal) -> None:
    """Raise a ValueError for a list of classes that kernels could not look up."""
    for name, position in (("troubled", N_TROUBLED), ("crowded", N_CROWDED)):
        listed, count = getattr(anneal, name), int(anneal.clock[position])
        n = len(listed)
        if not 0 <= count <= n or ((listed < 0) | (listed >= n)).any():
            raise ValueError(f"{name} must be up to {n} classes, got {count}: {listed!r:.40}")


def _take_back(target: np.ndarray[Any, Any], source: Any, name: str) -> None:
    if (
        not isinstance(source, np.ndarray)
        or source.dtype != target.dtype
        or source.shape != target.shape
    ):
        expected = f"{target.dtype} of shape {target.shape}"
        raise ValueError(f"{name} must be {expected}, got {source!r:.40}")
    target[...] = source
