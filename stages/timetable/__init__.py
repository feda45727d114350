"""University timetabling: instances, solutions, and what they cost."""

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from ..repair.q_learner import QLearner
    from .bounds.lower_bound import lower_bound
    from .cost.evaluation import Evaluation, evaluate
    from .errors import FormatError, InstanceError, MissingFileError, TimetableError
    from .generation.generator import generate, generate_with_timetable
    from .model.course import Course
    from .model.curriculum import Curriculum
    from .model.formulation import Formulation
    from .model.instance import Instance
    from .model.room import Room
    from .model.solution import Solution
    from .search.repairing.repair_environment import RepairEnvironment

__all__ = [
    "Course",
    "Curriculum",
    "Evaluation",
    "FormatError",
    "Formulation",
    "Instance",
    "InstanceError",
    "MissingFileError",
    "QLearner",
    "RepairEnvironment",
    "Room",
    "Solution",
    "TimetableError",
    "evaluate",
    "generate",
    "generate_with_timetable",
    "lower_bound",
]

_MODULES = {
    "Course": "model.course",
    "Curriculum": "model.curriculum",
    "Evaluation": "cost.evaluation",
    "FormatError": "errors",
    "Formulation": "model.formulation",
    "Instance": "model.instance",
    "InstanceError": "errors",
    "MissingFileError": "errors",
    "QLearner": ".repair.q_learner",
    "RepairEnvironment": "search.repairing.repair_environment",
    "Room": "model.room",
    "Solution": "model.solution",
    "TimetableError": "errors",
    "evaluate": "cost.evaluation",
    "generate": "generation.generator",
    "generate_with_timetable": "generation.generator",
    "lower_bound": "bounds.lower_bound",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
