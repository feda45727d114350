"""Repairing a timetable as a Gymnasium environment."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ....needing import needing
from ....repair.q_learner import QLearner
from ....search.compiling import kernel_of
from ...constraints.search.weights import COST, VIOLATIONS
from ...model.instance import Instance
from ...model.solution import Solution
from ...repair_operators import OPERATORS
from .. import SearchProblem, build_timetable
from ..timetable import turn_into
from .episodes import END as ENDING
from .episodes import (
    FAILED,
    GIVEN_UP,
    LECTURE,
    OBSERVED,
    SUCCEEDED,
    TAKEN,
    begin_episode,
    play_episodes,
    start_repair,
    take_step,
)
from .repair import lecture_costs

with needing("the repair environment"):
    import gymnasium
    from gymnasium import spaces

_begin_episode = kernel_of(begin_episode)
_take_step = kernel_of(take_step)
_STATE = (
    "best_period",
    "best_room",
    "best_total",
    "start_period",
    "start_room",
    "start_total",
    "attempts",
    "now",
    "observation",
    "rng",
)


class RepairEnvironment(gymnasium.Env[NDArray[np.int64], np.int64]):
    """One episode is an attempt to repair one lecture's place.

    `reset` chooses the lecture: one with a violated hard constraint as long as
    there is any, then one that costs much, less often the more attempts at it
    have failed. A step applies one of the five repair operators of
    `schoolbell.stages.timetable.search.repairing.repair` to it; when the lecture violates
    nothing any more but others do that the episode has moved, the next step is
    about one of those. The episode terminates when violations are fewer than at
    its start (without any: when the cost is lower) and is truncated after
    `steps` steps. A timetable with more violations is put back at the next
    `reset`; one with as many stays, so that the search does not stand still.
    `best_period`, `best_room` and `best_total` hold the best.

    The reward is 1 for success. The observation is six numbers:

    - what is wrong with the lecture (a position in `search.repair.KINDS`);
    - how open the timetable is to it, from 0 for conflicts with at least three
      others wherever it may go to 4 for a free room without a conflict;
    - the operator before (a position in `OPERATORS`), their number for none;
    - how many violations there are more than at the episode's start, up to 3;
    - how many attempts at the episode's first lecture have failed: none, 1 to 3,
      more;
    - how many episodes in a row have failed: none, 1 to 3, 4 to 10, more.

    The action is a position in `OPERATORS`.

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
    instance
        Of which the timetable is, for `best_solution`.
    """

    __module__ = "schoolbell.stages.timetable"

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - as Gymnasium declares it
    sizes = OBSERVED

    def __init__(
        self,
        problem: SearchProblem,
        period: NDArray[np.integer],
        room: NDArray[np.integer],
        violation: float = 100.0,
        steps: int = 8,
        instance: Instance | None = None,
    ) -> None:
        self.instance = instance
        self.observation_space = spaces.MultiDiscrete(list(self.sizes))
        self.action_space = spaces.Discrete(len(OPERATORS))
        self.problem = problem
        self.violation = float(violation)
        self.steps = steps
        self.timetable = build_timetable(problem, period, room)
        self._first = (self.timetable.period.copy(), self.timetable.room.copy())
        self._repair = start_repair(self.timetable, np.random.SeedSequence(0))

    @property
    def rank(self) -> tuple[int, int]:
        """Violations and cost of the present timetable."""
        return int(self.timetable.total[VIOLATIONS]), int(self.timetable.total[COST])

    @property
    def best_period(self) -> NDArray[np.int64]:
        """Periods of the best timetable, (n_lectures,)."""
        return self._repair.best_period

    @property
    def best_room(self) -> NDArray[np.int64]:
        """Rooms of the best timetable, (n_lectures,)."""
        return self._repair.best_room

    @property
    def best_total(self) -> NDArray[np.int64]:
        """Violations and cost of the best timetable, (2,)."""
        return self._repair.best_total

    def best_solution(self) -> Solution:
        """Return the best timetable."""
        if self.instance is None:
            raise ValueError("the environment was made without an instance")
        return Solution.of_lectures(self.instance, self.best_period.copy(), self.best_room.copy())

    @property
    def without_success(self) -> int:
        """Episodes in a row without success."""
        return int(self._repair.now[FAILED])

    @property
    def steps_taken(self) -> int:
        """Operators applied since the beginning."""
        return int(self._repair.now[TAKEN])

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
            self.restart(np.random.SeedSequence(seed))
        _begin_episode(self.problem, self.timetable, self._repair, self.violation)
        return self._repair.observation.copy(), self._info()

    def restart(self, seed: np.random.SeedSequence) -> None:
        """Begin anew from the first timetable, with other random numbers."""
        turn_into(self.problem, self.timetable, *self._first)
        self._repair = start_repair(self.timetable, seed)

    def step(
        self, action: np.int64 | int
    ) -> tuple[NDArray[np.int64], float, bool, bool, dict[str, Any]]:
        """Apply an operator to the lecture in hand."""
        if not self.action_space.contains(action):
            raise ValueError(f"action must be from 0 to {len(OPERATORS) - 1}, got {action!r}")
        repair = self._repair
        _take_step(self.problem, self.timetable, repair, int(action), self.violation, self.steps)
        terminated = bool(repair.now[ENDING] == SUCCEEDED)
        truncated = bool(repair.now[ENDING] == GIVEN_UP)
        seen = repair.observation.copy()
        return seen, float(terminated), terminated, truncated, self._info()

    def play(
        self,
        agent: QLearner,
        episodes: int,
        epsilon: float = 0.0,
        operator: int = -1,
        learning: bool = True,
    ) -> tuple[int, int]:
        """Play whole episodes in compiled code, as `reset` and `step` would.

        Parameters
        ----------
        agent
            Who chooses the operators.
        episodes
            How many; fewer if nothing is left to repair.
        epsilon
            Probability of a random operator in a step.
        operator
            Position of the only operator to be applied; -1 for the agent's choice.
        learning
            Whether the agent learns.

        Returns
        -------
        tuple of int
            Episodes played, and how many of them succeeded.
        """
        played, succeeded = play_episodes(
            self.problem,
            self.timetable,
            self._repair,
            agent.kernel_form,
            operator,
            float(epsilon),
            episodes,
            self.violation,
            self.steps,
            agent.rate if learning else 0.0,
        )
        return int(played), int(succeeded)

    def state_dict(self) -> dict[str, Any]:
        """Return what has changed since the beginning, as arrays."""
        state = {name: getattr(self._repair, name).copy() for name in _STATE}
        return state | {
            "period": self.timetable.period.copy(),
            "room": self.timetable.room.copy(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` returned; a ValueError if a shape does not fit."""
        for name in _STATE:
            target = getattr(self._repair, name)
            if np.shape(state[name]) != target.shape:
                raise ValueError(f"{name} has shape {np.shape(state[name])}, not {target.shape}")
            target[...] = state[name]
        for name, size in (("period", len(self.problem.day)), ("room", len(self.problem.capacity))):
            own = self.timetable.period
            for places in map(
                np.asarray, (state[name], state[f"start_{name}"], state[f"best_{name}"])
            ):
                # A kernel looks nowhere but where it is told to.
                is_alike = places.shape == own.shape and places.dtype == own.dtype
                if not is_alike or not np.all((places >= -1) & (places < size)):
                    raise ValueError(f"{name} must be a place of each lecture, below {size}")
        turn_into(self.problem, self.timetable, state["period"], state["room"])

    def _info(self) -> dict[str, Any]:
        violations, cost = self.rank
        lecture = int(self._repair.now[LECTURE])
        return {"lecture": lecture, "violations": violations, "cost": cost}
