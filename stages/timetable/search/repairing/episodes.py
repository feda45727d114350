"""Episodes of repair: attempts at one lecture's place, operator by operator."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ....search.action_values import choose_action, learn_step
from ....search.compiling import NOWHERE, copy_into, inner, kernel
from ....search.random import below, random_state, uniform
from ....search.record import Record
from ...constraints.search.weights import COST, VIOLATIONS
from ...repair_operators import OPERATORS
from ..timetable import Timetable, can_enter, turn_into
from .repair import (
    CONFLICT,
    KINDS,
    NO_PLACE,
    ROOM,
    apply_operator,
    lecture_costs,
    lecture_violations,
)

LECTURE, FIRST, KIND, LAST, STEP, FAILED, END, TAKEN = range(8)
"""Positions in `Repair.now`."""
RUNNING, SUCCEEDED, GIVEN_UP = range(3)
"""How an episode stands."""

SEEN_KIND, SEEN_OPENNESS, SEEN_LAST, SEEN_WORSE, SEEN_ATTEMPTS, SEEN_FAILED = range(6)
"""Positions in `Repair.observation`."""

OBSERVED = (len(KINDS), 5, len(OPERATORS) + 1, 4, 3, 4)
"""How many values each of the observation's numbers has."""
TABLES = ((0, 1), (2, 3), (1, 2), (1, 3), (0, 1, 2, 3), (1, 3, 4, 5))
"""Which of the numbers each of an agent's tables looks at."""


@dataclass(frozen=True, eq=False)
class Repair(Record):
    """A repair in progress, beside its timetable.

    Attributes
    ----------
    best_period, best_room, best_total
        The best timetable seen and its violations and cost, int64 (n_lectures,)
        and (2,).
    start_period, start_room, start_total
        The timetable at the episode's start, likewise.
    attempts
        Episodes in a row that did not help each lecture, int64 (n_lectures,).
    now
        int64 (8,): the lecture in hand, the one that the episode began with,
        what is wrong with it, the operator before, steps in the episode,
        episodes in a row without success, how the episode stands, steps in all.
    observation
        What an agent sees, int64 (6,); `RepairEnvironment` says what.
    rng
        Random state, uint64 (4,).
    """

    best_period: NDArray[np.int64]
    best_room: NDArray[np.int64]
    best_total: NDArray[np.int64]
    start_period: NDArray[np.int64]
    start_room: NDArray[np.int64]
    start_total: NDArray[np.int64]
    attempts: NDArray[np.int64]
    now: NDArray[np.int64]
    observation: NDArray[np.int64]
    rng: NDArray[np.uint64]


def start_repair(timetable: Timetable, seed: np.random.SeedSequence) -> Repair:
    """Begin to repair a timetable."""
    return Repair(
        timetable.period.copy(),
        timetable.room.copy(),
        timetable.total.copy(),
        timetable.period.copy(),
        timetable.room.copy(),
        timetable.total.copy(),
        np.zeros(len(timetable.period), np.int64),
        np.zeros(8, np.int64),
        np.zeros(len(OBSERVED), np.int64),
        random_state(seed),
    )


@inner
def begin_episode(problem, timetable, repair, violation):
    """Put back a timetable that became worse, and choose the next lecture."""
    if _is_worse(timetable.total, repair.start_total):
        turn_into(problem, timetable, repair.start_period, repair.start_room)
    copy_into(repair.start_period, timetable.period)
    copy_into(repair.start_room, timetable.room)
    copy_into(repair.start_total, timetable.total)
    now = repair.now
    if timetable.total[VIOLATIONS] > 0:
        lecture = _choose_violated(problem, timetable, repair)
        now[KIND] = _violated_kind(problem, timetable, lecture)
    else:
        lecture, now[KIND] = _choose_costly(problem, timetable, repair, violation)
    now[LECTURE], now[FIRST] = lecture, lecture
    now[LAST], now[STEP], now[END] = len(OPERATORS), 0, RUNNING
    _observe(problem, timetable, repair)


@inner
def _is_worse(total, start):
    """Tell whether to put back: between violations that are as many, the cost is free to rise."""
    if total[VIOLATIONS] != start[VIOLATIONS] or start[VIOLATIONS] > 0:
        return total[VIOLATIONS] > start[VIOLATIONS]
    return total[COST] > start[COST]


@inner
def _is_better(total, than):
    if total[VIOLATIONS] != than[VIOLATIONS]:
        return total[VIOLATIONS] < than[VIOLATIONS]
    return total[COST] < than[COST]


@inner
def _choose_violated(problem, timetable, repair):
    """Choose a violated lecture, rather one that few attempts have failed at."""
    chosen, most = 0, 0.0
    for lecture in range(len(timetable.period)):
        violations = lecture_violations(problem, timetable, lecture)
        if violations > 0:
            # A little noise among equals.
            weight = violations / (1.0 + repair.attempts[lecture])
            weight *= 1.0 + 0.1 * uniform(repair.rng)
            if weight > most:
                chosen, most = lecture, weight
    return chosen


@inner
def _choose_costly(problem, timetable, repair, violation):
    """Choose a lecture that costs much, and say what costs most of it."""
    costs = lecture_costs(problem, timetable, violation)
    chosen, most = 0, 0.0
    for lecture in range(len(timetable.period)):
        weight = costs[lecture].sum() / (1.0 + repair.attempts[lecture])
        weight *= 1.0 + 0.1 * uniform(repair.rng)
        if weight > most:
            chosen, most = lecture, weight
    return chosen, costs[chosen].argmax()


@inner
def _violated_kind(problem, timetable, lecture):
    p = timetable.period[lecture]
    if p < 0:
        return NO_PLACE
    return CONFLICT if timetable.conflicts[p, problem.course[lecture]] > 0 else ROOM


@inner
def _observe(problem, timetable, repair):
    now, seen = repair.now, repair.observation
    lecture = now[LECTURE]
    seen[SEEN_KIND] = now[KIND]
    seen[SEEN_OPENNESS] = openness(problem, timetable, lecture)
    seen[SEEN_LAST] = now[LAST]
    seen[SEEN_WORSE] = min(max(timetable.total[VIOLATIONS] - repair.start_total[VIOLATIONS], 0), 3)
    attempts = repair.attempts[now[FIRST]]
    seen[SEEN_ATTEMPTS] = (attempts >= 1) + (attempts >= 4)
    failed = now[FAILED]
    seen[SEEN_FAILED] = (failed >= 1) + (failed >= 4) + (failed >= 11)


@inner
def openness(problem, timetable, lecture):
    """Rate how open the timetable is to a lecture.

    Returns
    -------
    int
        0 if it conflicts with at least three others in every other period that
        it may enter, 1 and 2 if with two and with one in the best of them, 3 if
        there is one without a conflict but no room is free there, 4 if a room is.
    """
    rating = 0
    course = problem.course[lecture]
    for p in range(len(problem.day)):
        conflicts = timetable.conflicts[p, course]
        if p == timetable.period[lecture] or conflicts > 2 or 3 - conflicts < rating:
            continue
        if not can_enter(problem, timetable, lecture, p):
            continue
        rating = 3 - conflicts
        if conflicts == 0:
            for r in range(len(problem.capacity)):
                if timetable.cell[p, r] < 0:
                    return 4
    return rating


@inner
def take_step(problem, timetable, repair, operator, violation, steps):
    """Apply an operator to the lecture in hand; ``now[END]`` says how the episode stands."""
    now = repair.now
    apply_operator(problem, timetable, operator, now[LECTURE], violation, repair.rng)
    now[STEP] += 1
    now[TAKEN] += 1
    now[LAST] = operator
    if _is_better(timetable.total, repair.best_total):
        copy_into(repair.best_period, timetable.period)
        copy_into(repair.best_room, timetable.room)
        copy_into(repair.best_total, timetable.total)
    first = now[FIRST]
    violated = repair.start_total[VIOLATIONS] > 0
    if timetable.total[VIOLATIONS] < repair.start_total[VIOLATIONS] or (
        not violated and _is_better(timetable.total, repair.start_total)
    ):
        now[END], now[FAILED], repair.attempts[first] = SUCCEEDED, 0, 0
    elif now[STEP] >= steps:
        now[END] = GIVEN_UP
        now[FAILED] += 1
        repair.attempts[first] += 1
    elif violated:
        _follow(problem, timetable, repair)
    _observe(problem, timetable, repair)


@inner
def _follow(problem, timetable, repair):
    """Once its lecture violates nothing, go on with one that the episode has driven out."""
    now = repair.now
    if lecture_violations(problem, timetable, now[LECTURE]) == 0:
        chosen, ties = NOWHERE, 0
        for lecture in range(len(timetable.period)):
            if timetable.period[lecture] == repair.start_period[lecture]:
                continue
            if lecture_violations(problem, timetable, lecture) > 0:
                ties += 1
                if below(repair.rng, ties) == 0:
                    chosen = lecture
        if chosen >= 0:
            now[LECTURE], now[LAST] = chosen, len(OPERATORS)
    if lecture_violations(problem, timetable, now[LECTURE]) > 0:
        now[KIND] = _violated_kind(problem, timetable, now[LECTURE])


@kernel
def play_episodes(
    problem, timetable, repair, agent, operator, epsilon, episodes, violation, steps, rate
):
    """Play episodes until they are over or nothing is left to repair.

    Parameters
    ----------
    operator
        Applied in every step; -1 for the agent's choice.
    rate
        The agent's learning rate; 0 for one that does not learn.

    Returns
    -------
    tuple of int
        Episodes played, and how many of them succeeded.
    """
    seen = np.empty_like(repair.observation)
    played, succeeded = 0, 0
    while played < episodes and (repair.best_total[VIOLATIONS] > 0 or repair.best_total[COST] > 0):
        begin_episode(problem, timetable, repair, violation)
        while repair.now[END] == RUNNING:
            copy_into(seen, repair.observation)
            action = operator
            if operator < 0:
                first, second = uniform(repair.rng), uniform(repair.rng)
                action = choose_action(agent, seen, epsilon, first, second)
            take_step(problem, timetable, repair, action, violation, steps)
            if rate > 0.0:
                reward = 1.0 if repair.now[END] == SUCCEEDED else 0.0
                ended = repair.now[END] != RUNNING
                learn_step(agent, rate, seen, action, reward, repair.observation, ended)
        played += 1
        succeeded += repair.now[END] == SUCCEEDED
    return played, succeeded
