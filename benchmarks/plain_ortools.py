"""The whole problem as one plain model of OR-tools, what one would write without schoolbell.

    python benchmarks/plain_ortools.py INSTANCE SOLUTION SECONDS SEED
    python benchmarks/quality.py --time 60 --seeds 1 FILES… \\
        --peer "python benchmarks/plain_ortools.py {instance} {solution} {seconds} {seed}"

UD2 for ``.ctt`` and ``.ectt`` files. Needs only ``ortools``, which schoolbell
depends on; run the second line with absolute paths, peers run in a folder of
their own.

A user would first write a Boolean for each course, period and room. That model
has 50,000 to 150,000 Booleans on the instances of ITC-2007 and finds little in a
minute, so this is the better variant in two stages, both of the literature: one
model chooses periods, holding the lectures that need a room of some size to the
number of such rooms and charging for those beyond, then one assigns rooms to the
lectures of all periods, with capacity and stability. CP-SAT gets no hint and one
worker; the first stage 85 % of the time.

References
----------
G. Lach, M. E. Lübbecke, *Curriculum based course timetabling: new solutions to
Udine benchmark instances*, Annals of OR 194, 2012.
"""

import argparse
import time
from itertools import pairwise
from pathlib import Path

from ortools.sat.python import cp_model
from schoolbell.stages.timetable import Instance, Solution

# Weights of UD2.
CAPACITY, DAYS, ISOLATED, STABILITY = 1, 5, 2, 1

SHARE_OF_PERIODS = 0.85


def main() -> None:
    parser = argparse.ArgumentParser(description="Solve an instance by a plain CP-SAT model.")
    parser.add_argument("instance", type=Path)
    parser.add_argument("solution", type=Path)
    parser.add_argument("seconds", type=float)
    parser.add_argument("seed", type=int)
    args = parser.parse_args()
    began = time.monotonic()
    instance = Instance.read(args.instance)
    periods = choose_periods(instance, SHARE_OF_PERIODS * args.seconds, args.seed)
    if periods is None:
        parser.exit(1, "no feasible periods found\n")
    left = max(1.0, args.seconds - (time.monotonic() - began))
    rooms = assign_rooms(instance, periods, left, args.seed)
    if rooms is None:
        parser.exit(1, "no rooms found\n")
    Solution(instance, [c for c, _ in periods], [p for _, p in periods], rooms).write(args.solution)


def choose_periods(instance: Instance, seconds: float, seed: int) -> list[tuple[int, int]] | None:
    """Return course and period of each lecture; None if none were found in the time."""
    model = cp_model.CpModel()
    x = {
        (c, p): model.new_bool_var(f"x_{c}_{p}")
        for c in range(instance.n_courses)
        for p in range(instance.n_periods)
        if instance.available[c, p]
    }
    cost = []
    for c, course in enumerate(instance.courses):
        model.add(sum(x[c, p] for p in range(instance.n_periods) if (c, p) in x) == course.lectures)
    _forbid_conflicts(instance, model, x)
    cost += _rooms_by_size(instance, model, x)
    cost += _missing_days(instance, model, x)
    cost += _isolated_lectures(instance, model, x)
    model.minimize(sum(cost))
    solver = _solver(seconds, seed)
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return [key for key, variable in x.items() if solver.value(variable)]


def _forbid_conflicts(instance: Instance, model: cp_model.CpModel, x: dict) -> None:
    """Let the courses of a curriculum, and those of a teacher, never meet."""
    positions = instance.course_positions
    groups = [[positions[c] for c in curriculum.courses] for curriculum in instance.curricula]
    by_teacher: dict[str, list[int]] = {}
    for c, course in enumerate(instance.courses):
        by_teacher.setdefault(course.teacher, []).append(c)
    for group in [*groups, *by_teacher.values()]:
        for p in range(instance.n_periods):
            model.add_at_most_one(x[c, p] for c in group if (c, p) in x)


def _rooms_by_size(instance: Instance, model: cp_model.CpModel, x: dict) -> list:
    """Hold lectures to the number of rooms; charge for those beyond the rooms of a size."""
    sizes = sorted({room.capacity for room in instance.rooms})
    cost = []
    for p in range(instance.n_periods):
        here = [c for c in range(instance.n_courses) if (c, p) in x]
        model.add(sum(x[c, p] for c in here) <= instance.n_rooms)
        for size, larger in pairwise(sizes):
            need = [c for c in here if instance.courses[c].students > size]
            rooms = sum(room.capacity > size for room in instance.rooms)
            if len(need) > rooms:
                beyond = model.new_int_var(0, len(need), "")
                model.add(sum(x[c, p] for c in need) - beyond <= rooms)
                least = min(instance.courses[c].students for c in need)
                cost.append(CAPACITY * (min(least, larger) - size) * beyond)
    return cost


def _missing_days(instance: Instance, model: cp_model.CpModel, x: dict) -> list:
    """Charge for each day below a course's minimum of working days."""
    slots, cost = instance.periods_per_day, []
    for c, course in enumerate(instance.courses):
        days = []
        for day in range(instance.days):
            own = [x[c, p] for p in range(day * slots, (day + 1) * slots) if (c, p) in x]
            works = model.new_bool_var("")
            model.add(works <= sum(own))
            days.append(works)
        below = model.new_int_var(0, course.min_working_days, "")
        model.add(sum(days) + below >= course.min_working_days)
        cost.append(DAYS * below)
    return cost


def _isolated_lectures(instance: Instance, model: cp_model.CpModel, x: dict) -> list:
    """Charge for each lecture of a curriculum without one of it just before or after."""
    slots, cost = instance.periods_per_day, []
    for curriculum in instance.curricula:
        members = [instance.course_positions[c] for c in curriculum.courses]
        for day in range(instance.days):
            taught = [
                sum(x[c, p] for c in members if (c, p) in x)
                for p in range(day * slots, (day + 1) * slots)
            ]
            for slot in range(slots):
                near = taught[max(0, slot - 1) : slot] + taught[slot + 1 : slot + 2]
                alone = model.new_bool_var("")
                model.add(taught[slot] - sum(near) <= alone)
                cost.append(ISOLATED * alone)
    return cost


def assign_rooms(
    instance: Instance, lectures: list[tuple[int, int]], seconds: float, seed: int
) -> list[int] | None:
    """Return a room for each lecture, given its course and period."""
    model = cp_model.CpModel()
    rooms = range(instance.n_rooms)
    y = [[model.new_bool_var("") for _ in rooms] for _ in lectures]
    uses = [[model.new_bool_var("") for _ in rooms] for _ in instance.courses]
    in_period: dict[int, list[int]] = {}
    cost = []
    for i, (c, p) in enumerate(lectures):
        model.add_exactly_one(y[i])
        in_period.setdefault(p, []).append(i)
        for r in rooms:
            model.add_implication(y[i][r], uses[c][r])
            beyond = instance.courses[c].students - instance.rooms[r].capacity
            if beyond > 0:
                cost.append(CAPACITY * beyond * y[i][r])
    for there in in_period.values():
        for r in rooms:
            model.add_at_most_one(y[i][r] for i in there)
    cost += [STABILITY * used for of_course in uses for used in of_course]
    model.minimize(sum(cost))
    solver = _solver(seconds, seed)
    if solver.solve(model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return [next(r for r in rooms if solver.value(y[i][r])) for i in range(len(lectures))]


def _solver(seconds: float, seed: int) -> cp_model.CpSolver:
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.random_seed = seed
    return solver


if __name__ == "__main__":
    main()
