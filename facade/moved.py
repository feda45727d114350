"""Modules that pickles made by earlier versions name, and where to find what they held."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

# For each package the modules whose public names it gives itself.
_PUBLIC = {
    "callbacks": (
        "adjust_on_plateau",
        "backup_and_restore",
        "batch_scheduler",
        "csv_logger",
        "early_stopping",
        "history",
        "progbar_logger",
        "redis_logger",
        "redis_unavailable_error",
        "remote_monitor",
        "solution_checkpoint",
        "tensor_board",
        "terminate_on_nan",
        "terminate_on_target",
        "timer",
    ),
    "runner": (
        "backup_error",
        "progress_tracker",
        "run",
        "stage_record",
        "unknown_job_error",
        "watched_snapshot",
    ),
    "stages": (
        "cp_sat",
        "finalize",
        "genetic_algorithm",
        "louvain_clustering",
        "rl_repair",
        "train_agent",
    ),
    "stages.timetable": (
        "course",
        "curriculum",
        "formulation",
        "instance",
        "q_learner",
        "repair_environment",
        "room",
        "solution",
    ),
}
_MOVED = {f"{package}.{name}": package for package, names in _PUBLIC.items() for name in names} | {
    # Of these a pickle names something that is not public.
    "callbacks.http_target": "callbacks.remote.http_target",
    "callbacks.portable_stream": "callbacks.progress.portable_stream",
    "stages.load": "stages.timetable.steps.load",
    "stages.timetable.search.action_values": "stages.search.action_values",
    "stages.timetable.evaluation": "stages.timetable.cost.evaluation",
}
_PACKAGE = __package__ or ""


class MovedModules(MetaPathFinder, Loader):
    """Finds modules that are no more, each with the names that it had."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return how to make a module that has moved; None for any other."""
        moved = fullname.removeprefix(f"{_PACKAGE}.") in _MOVED
        return ModuleSpec(fullname, self) if moved else None

    def exec_module(self, module: ModuleType) -> None:
        """Have the module look up its names where they are now."""
        now = f"{_PACKAGE}.{_MOVED[module.__name__.removeprefix(f'{_PACKAGE}.')]}"

        def __getattr__(name: str) -> Any:
            return getattr(import_module(now), name)

        vars(module)["__getattr__"] = __getattr__


def find_moved_modules() -> None:
    """Let pickles made by earlier versions find what they name."""
    # Last: a module that is there is found first.
    sys.meta_path.append(MovedModules())
