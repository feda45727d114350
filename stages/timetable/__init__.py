"""University timetabling: instances, solutions, and what they cost."""

from .cost.evaluation import Evaluation, evaluate
from .errors import FormatError, InstanceError, MissingFileError, TimetableError
from .generation.generator import generate, generate_with_timetable
from .model.course import Course
from .model.curriculum import Curriculum
from .model.formulation import Formulation
from .model.instance import Instance
from .model.room import Room
from .model.solution import Solution

__all__ = [
    "Course",
    "Curriculum",
    "Evaluation",
    "FormatError",
    "Formulation",
    "Instance",
    "InstanceError",
    "MissingFileError",
    "Room",
    "Solution",
    "TimetableError",
    "evaluate",
    "generate",
    "generate_with_timetable",
]
