"""All constraints, hard and soft."""

from collections.abc import Mapping
from types import MappingProxyType

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
