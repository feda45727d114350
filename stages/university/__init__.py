"""Whole universities: the model of ITC-2019, its solutions, and what they cost."""

from .cost.distribution_cost import DistributionCost
from .cost.evaluation import Evaluation, evaluate
from .errors import FormatError, InstanceError, MissingFileError, TimetableError
from .generation.generator import generate, generate_with_solution
from .model.configuration import Configuration
from .model.course import Course
from .model.course_class import CourseClass
from .model.distribution import Distribution
from .model.instance import Instance
from .model.room import Room
from .model.room_option import RoomOption
from .model.solution import Solution
from .model.student import Student
from .model.subpart import Subpart
from .model.time import Time
from .model.weights import Weights
from .reduction.reduce import reduce
from .reduction.reduction import Reduction

__all__ = [
    "Configuration",
    "Course",
    "CourseClass",
    "Distribution",
    "DistributionCost",
    "Evaluation",
    "FormatError",
    "Instance",
    "InstanceError",
    "MissingFileError",
    "Reduction",
    "Room",
    "RoomOption",
    "Solution",
    "Student",
    "Subpart",
    "Time",
    "TimetableError",
    "Weights",
    "evaluate",
    "generate",
    "generate_with_solution",
    "reduce",
]
