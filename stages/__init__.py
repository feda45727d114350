"""Stages: the work of a pipeline."""

from typing import TYPE_CHECKING

from .lazy import lazy_names

if TYPE_CHECKING:
    from .batch import Batch
    from .budget import Budget
    from .clustering.louvain_clustering import LouvainClustering
    from .clustering.weighted_graph import WeightedGraph
    from .errors import FormatError, InputError, MissingFileError
    from .evolution.genetic_algorithm import GeneticAlgorithm
    from .exact.cp_sat import CPSAT
    from .exact.solver import solve_model
    from .functions.as_stage import as_stage
    from .functions.report import Report
    from .functions.stage_ended import StageEnded
    from .labelling.labelling_problem import LabellingProblem
    from .map_batches import MapBatches
    from .pulse import Pulse
    from .repair.q_learner import QLearner
    from .repair.rl_repair import RLRepair
    from .stage import Stage
    from .state import State
    from .tasks.task import Task
    from .timetable.steps.finalize import Finalize
    from .timetable.steps.load import Load
    from .timetable.steps.train_agent import TrainAgent
    from .university.steps.finalize_university import FinalizeUniversity
    from .university.steps.load_university import LoadUniversity

__all__ = [
    "CPSAT",
    "Batch",
    "Budget",
    "Finalize",
    "FinalizeUniversity",
    "FormatError",
    "GeneticAlgorithm",
    "InputError",
    "LabellingProblem",
    "Load",
    "LoadUniversity",
    "LouvainClustering",
    "MapBatches",
    "MissingFileError",
    "Pulse",
    "QLearner",
    "RLRepair",
    "Report",
    "Stage",
    "StageEnded",
    "State",
    "Task",
    "TrainAgent",
    "WeightedGraph",
    "as_stage",
    "solve_model",
]

_MODULES = {
    "Batch": "batch",
    "Budget": "budget",
    "CPSAT": "exact.cp_sat",
    "Finalize": "timetable.steps.finalize",
    "FinalizeUniversity": "university.steps.finalize_university",
    "FormatError": "errors",
    "GeneticAlgorithm": "evolution.genetic_algorithm",
    "InputError": "errors",
    "LabellingProblem": "labelling.labelling_problem",
    "Load": "timetable.steps.load",
    "LoadUniversity": "university.steps.load_university",
    "LouvainClustering": "clustering.louvain_clustering",
    "MapBatches": "map_batches",
    "MissingFileError": "errors",
    "Pulse": "pulse",
    "QLearner": "repair.q_learner",
    "RLRepair": "repair.rl_repair",
    "Report": "functions.report",
    "Stage": "stage",
    "StageEnded": "functions.stage_ended",
    "State": "state",
    "Task": "tasks.task",
    "TrainAgent": "timetable.steps.train_agent",
    "WeightedGraph": "clustering.weighted_graph",
    "as_stage": "functions.as_stage",
    "solve_model": "exact.solver",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
