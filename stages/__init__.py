"""Stages: the work of a pipeline."""

from .batch import Batch
from .budget import Budget
from .cp_sat import CPSAT
from .finalize import Finalize
from .genetic_algorithm import GeneticAlgorithm
from .load import Load
from .louvain_clustering import LouvainClustering
from .map_batches import MapBatches
from .pulse import Pulse
from .rl_repair import RLRepair
from .stage import Stage
from .state import State
from .train_agent import TrainAgent

__all__ = [
    "CPSAT",
    "Batch",
    "Budget",
    "Finalize",
    "GeneticAlgorithm",
    "Load",
    "LouvainClustering",
    "MapBatches",
    "Pulse",
    "RLRepair",
    "Stage",
    "State",
    "TrainAgent",
]
