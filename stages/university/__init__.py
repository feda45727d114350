"""Whole universities: the model of ITC-2019, its solutions, and what they cost."""

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
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
    from .university_problem import UniversityProblem
    from .views.rendering import render_html, write_files

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
    "UniversityProblem",
    "Weights",
    "evaluate",
    "generate",
    "generate_with_solution",
    "reduce",
    "render_html",
    "write_files",
]

_MODULES = {
    "Configuration": "model.configuration",
    "Course": "model.course",
    "CourseClass": "model.course_class",
    "Distribution": "model.distribution",
    "DistributionCost": "cost.distribution_cost",
    "Evaluation": "cost.evaluation",
    "FormatError": "errors",
    "Instance": "model.instance",
    "InstanceError": "errors",
    "MissingFileError": "errors",
    "Reduction": "reduction.reduction",
    "Room": "model.room",
    "RoomOption": "model.room_option",
    "Solution": "model.solution",
    "Student": "model.student",
    "Subpart": "model.subpart",
    "Time": "model.time",
    "TimetableError": "errors",
    "UniversityProblem": "university_problem",
    "Weights": "model.weights",
    "evaluate": "cost.evaluation",
    "generate": "generation.generator",
    "generate_with_solution": "generation.generator",
    "reduce": "reduction.reduce",
    "render_html": "views.rendering",
    "write_files": "views.rendering",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
