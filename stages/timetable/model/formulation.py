"""Which constraints count, and how much."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

from ...names import did_you_mean
from ..constraints.registry import CONSTRAINTS, HARD, SOFT
from ..errors import TimetableError

HARD_CONSTRAINTS = tuple(one.name for one in HARD)
"""Names of the constraints that are hard in every formulation."""

SOFT_CONSTRAINTS = tuple(one.name for one in SOFT)
"""Names of the constraints that a formulation can weigh."""

CAN_BE_HARD = ("RoomSuitability",)
"""Names of the soft constraints that a formulation can make hard instead."""


@dataclass(frozen=True)
class Formulation:
    """The weights of the soft constraints, and the extra hard ones.

    Parameters
    ----------
    name
        What it is called.
    weights
        Cost of one unit of each soft constraint that counts, whole numbers of 1
        or more.
    hard
        Constraints that are hard besides those that always are: none or
        ``("RoomSuitability",)``.

    Raises
    ------
    TimetableError
        If a constraint is unknown or is both hard and soft, or if a weight is
        no whole number of 1 or more.

    References
    ----------
    A. Bonutti, F. De Cesco, L. Di Gaspero, A. Schaerf, *Benchmarking
    curriculum-based course timetabling*, Annals of OR 194, 2012.
    """

    __module__ = "schoolbell.stages.timetable"

    UD1: ClassVar["Formulation"]
    UD2: ClassVar["Formulation"]
    UD3: ClassVar["Formulation"]
    UD4: ClassVar["Formulation"]
    UD5: ClassVar["Formulation"]

    name: str
    weights: Mapping[str, int] = field(hash=False)
    hard: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, weight in self.weights.items():
            if name not in CONSTRAINTS or name in HARD_CONSTRAINTS:
                raise TimetableError(
                    f"unknown soft constraint {name!r}, expected {', '.join(SOFT_CONSTRAINTS)}"
                    f"{did_you_mean(name, SOFT_CONSTRAINTS)}"
                )
            if isinstance(weight, bool) or not isinstance(weight, int) or weight < 1:
                raise TimetableError(
                    f"the weight of {name} must be a whole number of 1 or more, got {weight!r}"
                )
        for name in self.hard:
            if name not in CAN_BE_HARD:
                raise TimetableError(
                    f"{name!r} cannot be made hard, expected {', '.join(CAN_BE_HARD)}"
                    f"{did_you_mean(name, CAN_BE_HARD)}"
                )
            if name in self.weights:
                raise TimetableError(f"{name} is hard, so it cannot have a weight")
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))
        object.__setattr__(self, "hard", tuple(self.hard))

    def __reduce__(self) -> tuple[Any, ...]:
        return Formulation, (self.name, dict(self.weights), self.hard)

    @property
    def hard_constraints(self) -> tuple[str, ...]:
        """Names of all constraints of which a unit is a violation."""
        return HARD_CONSTRAINTS + self.hard

    @classmethod
    def of(cls, formulation: "str | Formulation") -> "Formulation":
        """Return a formulation by its name, in any case, or as it is.

        Raises
        ------
        TimetableError
            If no formulation has the name.
        """
        if isinstance(formulation, Formulation):
            return formulation
        if isinstance(formulation, str) and formulation.upper() in _BY_NAME:
            return _BY_NAME[formulation.upper()]
        close = did_you_mean(formulation, _BY_NAME)
        raise TimetableError(
            f"unknown formulation {formulation!r}, expected {', '.join(_BY_NAME)}{close}"
        )


Formulation.UD1 = Formulation(
    "UD1", {"RoomCapacity": 1, "MinWorkingDays": 5, "IsolatedLectures": 1}
)
Formulation.UD2 = Formulation(
    "UD2", {"RoomCapacity": 1, "MinWorkingDays": 5, "IsolatedLectures": 2, "RoomStability": 1}
)
Formulation.UD3 = Formulation(
    "UD3", {"RoomCapacity": 1, "Windows": 4, "StudentMinMaxLoad": 2, "RoomSuitability": 3}
)
Formulation.UD4 = Formulation(
    "UD4",
    {
        "RoomCapacity": 1,
        "MinWorkingDays": 1,
        "Windows": 1,
        "StudentMinMaxLoad": 1,
        "DoubleLectures": 1,
    },
    hard=("RoomSuitability",),
)
Formulation.UD5 = Formulation(
    "UD5",
    {
        "RoomCapacity": 1,
        "MinWorkingDays": 5,
        "IsolatedLectures": 1,
        "Windows": 2,
        "StudentMinMaxLoad": 2,
        "TravelDistance": 2,
    },
)

_BY_NAME = {
    formulation.name: formulation
    for formulation in (
        Formulation.UD1,
        Formulation.UD2,
        Formulation.UD3,
        Formulation.UD4,
        Formulation.UD5,
    )
}
