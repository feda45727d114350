"""What one distribution costs."""

from dataclasses import dataclass

from ..model.distribution import Distribution


@dataclass(frozen=True, slots=True)
class DistributionCost:
    """A distribution and how far a timetable breaks it.

    Attributes
    ----------
    distribution
        The distribution.
    units
        Violated pairs; of a rule over all classes, what is in excess in all weeks together.
    cost
        Its penalty, before the weight of distributions; 0 of a required one.
    """

    __module__ = "schoolbell.stages.university"

    distribution: Distribution
    units: int
    cost: int
