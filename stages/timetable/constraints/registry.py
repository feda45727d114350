"""All constraints, hard and soft, and what the soft ones of a formulation cost by their tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .constraint import Constraint
from .double_lectures import DOUBLE_LECTURES
from .hard import AVAILABILITY, CONFLICTS, LECTURES, ROOM_OCCUPANCY
from .isolated_lectures import ISOLATED_LECTURES
from .min_working_days import MIN_WORKING_DAYS
from .room_capacity import ROOM_CAPACITY
from .room_stability import ROOM_STABILITY
from .room_suitability import ROOM_SUITABILITY
from .student_min_max_load import STUDENT_MIN_MAX_LOAD
from .travel_distance import TRAVEL_DISTANCE
from .windows import WINDOWS

if TYPE_CHECKING:
    from ..model.instance import Instance

HARD = (LECTURES, CONFLICTS, AVAILABILITY, ROOM_OCCUPANCY)
"""Those that are hard in every formulation."""

SOFT = (
    ROOM_CAPACITY,
    MIN_WORKING_DAYS,
    ISOLATED_LECTURES,
    WINDOWS,
    ROOM_STABILITY,
    STUDENT_MIN_MAX_LOAD,
    TRAVEL_DISTANCE,
    ROOM_SUITABILITY,
    DOUBLE_LECTURES,
)
"""Those that a formulation can weigh."""

_by_name = {one.name: one for one in HARD + SOFT}

CONSTRAINTS: Mapping[str, Constraint] = MappingProxyType(_by_name)
"""Each by its name."""


def cost_in_rooms(instance: Instance, weights: Mapping[str, int]) -> NDArray[np.int64] | None:
    """Sum up what a lecture costs by the tables of rooms; None where no constraint has one."""
    tables = {name: CONSTRAINTS[name].in_rooms for name in weights}
    return _sum(
        (weights[name], table(instance)) for name, table in tables.items() if table is not None
    )


def cost_in_periods(instance: Instance, weights: Mapping[str, int]) -> NDArray[np.int64] | None:
    """Sum up what a lecture costs by the tables of periods; None where no constraint has one."""
    tables = {name: CONSTRAINTS[name].in_periods for name in weights}
    return _sum(
        (weights[name], table(instance)) for name, table in tables.items() if table is not None
    )


def cost_of_days(
    occupied: NDArray[np.bool_], weights: Mapping[str, int]
) -> NDArray[np.int64] | None:
    """Sum up what days cost by their timeslots; None where no constraint looks at these alone."""
    tables = {name: CONSTRAINTS[name].of_days for name in weights}
    return _sum(
        (weights[name], table(occupied)) for name, table in tables.items() if table is not None
    )


def _sum(terms: Iterable[tuple[int, ArrayLike]]) -> NDArray[np.int64] | None:
    total = None
    for weight, units in terms:
        cost = weight * np.asarray(units, np.int64)
        total = cost if total is None else total + cost
    # Kernels take no other order of an array's numbers.
    return None if total is None else np.ascontiguousarray(total)
