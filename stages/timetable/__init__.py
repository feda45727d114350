"""University timetabling: instances, solutions, and what they cost."""

from .course import Course
from .curriculum import Curriculum
from .errors import FormatError, InstanceError, MissingFileError, TimetableError
from .evaluation import Evaluation, evaluate
from .formulation import Formulation
from .generator import generate, generate_with_timetable
from .instance import Instance
from .room import Room
from .solution import Solution

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
