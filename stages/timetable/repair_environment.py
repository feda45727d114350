"""Repairing a timetable as a Gymnasium environment."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from .search import SearchProblem, build_timetable, random_state
from .search.repair import CONFLICT, KINDS, NO_PLACE, OPERATORS, apply_operator, lecture_costs
from .search.repair import free_periods as count_free_periods
from .search.timetable import restore

FREE_PERIODS = (1, 4)
"""Below the first, a lecture is hard to place; from the second on it is easy."""
PATIENCE = (1, 4, 11)
"""Episodes without success at which the environment's third observation steps up."""


class RepairEnvironment(gymnasium.Env[NDArray[np.int64], np.int64]):
    """One episode is an attempt to repair one lecture's place.

    `reset` chooses the lecture: one with a violated hard constraint as long as
    there is any, then the one that costs most, less often the more attempts at
    it have failed. A step applies one of the five repair operators of
    `schoolbell.stages.timetable.search.repair` to it. The episode terminates
    when the timetable has become better than it was at its start and is
    truncated after `steps` steps; a timetable that became worse is put back at
    the next `reset`. `best_period`, `best_room` and `best_total` hold the best.

    The observation is three numbers: the kind of what is wrong with the lecture
    (`KINDS`), how hard it is to place (0 to 2) and how long the repair has been
    without success (0 to 3). The action is a position in `OPERATORS`. The
    reward is 1 for each violation removed, a tenth for each unit of weighted
    cost up to 1, and -0.02 for each step.

    Parameters
    ----------
    problem
        The instance.
    period, room
        The timetable to repair, int32 (n_lectures,); -1 without a place.
    violation
        Cost that one violation counts as when operators choose.
    steps
        Most steps an episode.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - as Gymnasium declares it

    def __init__(
        self,
        problem: SearchProblem,
        period: NDArray[np.integer],
        room: NDArray[np.integer],
        violation: float = 100.0,
        steps: int = 8,
    ) -> None:
        self.sizes = (len(KINDS), len(FREE_PERIODS) + 1, len(PATIENCE) + 1)
        self.observation_space = spaces.MultiDiscrete(list(self.sizes))
        self.action_space = spaces.Discrete(len(OPERATORS))
        self.problem = problem
        self.violation = violation
        self.steps = steps
        self.timetable = build_timetable(problem, period, room)
        self.best_period = self.timetable.period.copy()
        self.best_room = self.timetable.room.copy()
        self.best_total = self.timetable.total.copy()
        self._first = (self.best_period.copy(), self.best_room.copy())
        self.without_success = 0
        self.attempts = np.zeros(len(period), np.int64)
        self.lecture = 0
        self._kind = 0
        self._step = 0
        self._state = random_state(np.random.SeedSequence(0))
        self._save_start()

    @property
    def rank(self) -> tuple[int, int]:
        """Violations and cost of the present timetable."""
        return int(self.timetable.total[0]), int(self.timetable.total[1])

    def count_conflicts(self) -> int:
        """Count the lectures whose place violates or costs something."""
        costs = lecture_costs(self.problem, self.timetable, self.violation)
        return int(np.count_nonzero(costs.sum(axis=1)))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.int64], dict[str, Any]]:
        """Begin an attempt at the next lecture.

        With a seed, everything begins anew, from the first timetable.
        """
        super().reset(seed=seed)
        if seed is not None:
            self._state = random_state(np.random.SeedSequence(seed))
            self.attempts[:] = 0
            self.without_success = 0
            restore(self.problem, self.timetable, *self._first)
        elif self.rank > self._start_rank:
            restore(self.problem, self.timetable, self._start_period, self._start_room)
        self._save_start()
        self._choose_lecture()
        self._step = 0
        return self._observation(), self._info()

    def step(
        self, action: np.int64 | int
    ) -> tuple[NDArray[np.int64], float, bool, bool, dict[str, Any]]:
        """Apply an operator to the episode's lecture."""
        if not self.action_space.contains(action):
            raise ValueError(f"action must be from 0 to {len(OPERATORS) - 1}, got {action!r}")
        violations, cost = self.rank
        apply_operator(
            self.problem, self.timetable, int(action), self.lecture, self.violation, self._state
        )
        self._step += 1
        new_violations, new_cost = self.rank
        reward = violations - new_violations - 0.02
        reward += float(np.clip((cost - new_cost) / 10.0, -1.0, 1.0))
        self._keep_best()
        terminated = self.rank < self._start_rank
        truncated = not terminated and self._step >= self.steps
        if terminated:
            self.without_success = 0
            self.attempts[self.lecture] = 0
        elif truncated:
            self.without_success += 1
            self.attempts[self.lecture] += 1
        return self._observation(), float(reward), terminated, truncated, self._info()

    def _save_start(self) -> None:
        self._start_rank = self.rank
        self._start_period = self.timetable.period.copy()
        self._start_room = self.timetable.room.copy()

    def _keep_best(self) -> None:
        if self.rank < (int(self.best_total[0]), int(self.best_total[1])):
            self.best_total[:] = self.timetable.total
            self.best_period[:] = self.timetable.period
            self.best_room[:] = self.timetable.room

    def _choose_lecture(self) -> None:
        costs = lecture_costs(self.problem, self.timetable, self.violation)
        hard = costs[:, CONFLICT] + costs[:, NO_PLACE]
        urgent = hard if hard.any() else costs.sum(axis=1)
        # A little noise among equals; failed attempts make room for other lectures.
        weight = urgent / (1.0 + self.attempts)
        weight *= 1.0 + 0.1 * self.np_random.random(len(weight))
        self.lecture = int(np.argmax(weight))
        self._kind = int(np.argmax(costs[self.lecture]))

    def _observation(self) -> NDArray[np.int64]:
        free = count_free_periods(self.problem, self.timetable, self.lecture)
        hardness = len(FREE_PERIODS) - int(np.searchsorted(FREE_PERIODS, free, side="right"))
        patience = int(np.searchsorted(PATIENCE, self.without_success, side="right"))
        return np.array([self._kind, hardness, patience], np.int64)

    def _info(self) -> dict[str, Any]:
        violations, cost = self.rank
        return {"lecture": self.lecture, "violations": violations, "cost": cost}
