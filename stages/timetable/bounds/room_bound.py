"""What rooms cost at least, whatever the periods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ...exact.solver import prove_bound
from ...needing import needing
from ...problem import SolveLimits
from ...tasks.stop_flag import StopFlag

if TYPE_CHECKING:
    from ..model.formulation import Formulation
    from ..model.instance import Instance

# Courses times rooms above which the rooms of each course are not counted, and
# above which each lecture is looked at as if the rooms were its alone.
MOST_COUNTED = 1_000
MOST_ARCS = 200_000
# Above this, only the largest room is looked at: a table of prices would take hundreds of MB.
MOST_PRICES = 2_000_000


def room_bound(
    instance: Instance, formulation: Formulation, limits: SolveLimits, flag: StopFlag
) -> int:
    """Return what capacity, suitability and stability of rooms cost in every timetable.

    Lectures are divided among the rooms, each of which is there in every period
    once, at the least cost; that they may not be held at the same time is left
    out.

    Parameters
    ----------
    instance, formulation
        What is to be bounded.
    limits
        When to end.
    flag
        When set, the call returns soon with what it has.
    """
    if instance.n_courses * instance.n_rooms > MOST_PRICES:
        return _beyond_the_largest(instance, formulation)
    prices = _prices(instance, formulation)
    least = np.where(prices < 0, np.iinfo(np.int64).max, prices).min(axis=1)
    places = instance.n_rooms * instance.n_periods
    if (prices < 0).all(axis=1).any() or instance.n_lectures > places:
        # No timetable has room for all lectures.
        return 0
    bound = int((least * instance.course_lectures).sum())
    if prices.size <= MOST_ARCS and (prices > 0).any():
        bound = max(bound, _least_flow(instance, prices))
    stability = formulation.weights.get("RoomStability", 0)
    if stability and prices.size <= MOST_COUNTED:
        bound = max(bound, _least_with_stability(instance, prices, stability, limits, flag))
    return bound


def _beyond_the_largest(instance: Instance, formulation: Formulation) -> int:
    """Count the students that even the largest room has no seat for."""
    if instance.n_lectures > instance.n_rooms * instance.n_periods:
        return 0
    excess = instance.course_students.astype(np.int64) - int(instance.room_capacity.max())
    students = int((np.maximum(excess, 0) * instance.course_lectures).sum())
    return students * formulation.weights.get("RoomCapacity", 0)


def _prices(instance: Instance, formulation: Formulation) -> NDArray[np.int64]:
    """Price each room for a lecture of each course, -1 where it must not be used."""
    weights = formulation.weights
    excess = instance.course_students[:, None].astype(np.int64) - instance.room_capacity
    prices = np.maximum(excess, 0) * weights.get("RoomCapacity", 0)
    prices += np.where(instance.suitable, 0, weights.get("RoomSuitability", 0))
    if "RoomSuitability" in formulation.hard:
        prices[~instance.suitable] = -1
    return prices


def _least_flow(instance: Instance, prices: NDArray[np.int64]) -> int:
    """Divide the lectures among the rooms at the least cost: a flow from courses to rooms."""
    with needing("a lower bound"):
        from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

    courses, rooms = np.nonzero(prices >= 0)
    # Untyped: the stubs of OR-Tools know only the oldest way to write an array's type.
    flow: Any = SimpleMinCostFlow()
    lectures = instance.course_lectures.astype(np.int64)
    flow.add_arcs_with_capacity_and_unit_cost(
        courses, rooms + instance.n_courses, lectures[courses], prices[courses, rooms]
    )
    sink = instance.n_courses + instance.n_rooms
    ends = np.arange(instance.n_courses, sink)
    flow.add_arcs_with_capacity_and_unit_cost(
        ends,
        np.full(instance.n_rooms, sink),
        np.full(instance.n_rooms, instance.n_periods),
        np.zeros(instance.n_rooms, np.int64),
    )
    flow.set_nodes_supplies(np.arange(instance.n_courses), lectures)
    flow.set_node_supply(sink, -int(lectures.sum()))
    return int(flow.optimal_cost()) if flow.solve() == flow.OPTIMAL else 0


def _least_with_stability(
    instance: Instance,
    prices: NDArray[np.int64],
    stability: int,
    limits: SolveLimits,
    flag: StopFlag,
) -> int:
    """Do the same where every room beyond the first of a course costs too."""
    with needing("a lower bound"):
        from ortools.sat.python.cp_model import CpModel, LinearExpr

    model = CpModel()
    lectures = instance.course_lectures.tolist()
    in_room: list[list[LinearExpr]] = [[] for _ in instance.rooms]
    cost = []
    for row, count in zip(prices.tolist(), lectures, strict=True):
        held, used = [], []
        for room, price in enumerate(row):
            if price < 0:
                continue
            held.append(model.new_int_var(0, count, ""))
            used.append(model.new_bool_var(""))
            in_room[room].append(held[-1])
            model.add(held[-1] <= count * used[-1])
            cost += [price * held[-1], stability * used[-1]]
        model.add(LinearExpr.sum(held) == count)
        cost.append(-stability if count else 0)
    for held in in_room:
        model.add(LinearExpr.sum(held) <= instance.n_periods)
    model.minimize(LinearExpr.sum(cost))
    return prove_bound(model, limits, flag)[0]
