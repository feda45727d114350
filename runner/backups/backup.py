"""A run between two units, as plain data."""

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec
import numpy as np

from ...callbacks.vocabulary import MIN
from ...stages import Batch, Stage
from ...stages.plain_data import as_count, as_number, copy_plain, copy_savable
from ..checked_json import checked
from .backup_error import BackupError

SENSELESS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What code raises where a backup holds something else than it should."""


@dataclass(slots=True)
class Place:
    """Where in a stage a run is: at its beginning, or after one of its batches.

    Attributes
    ----------
    batch, last
        Number of batches so far, and the newest of them.
    spent
        Seconds that the stage has taken.
    state
        The stage's own; empty at its beginning.
    index
        Number of the stage; the number of stages when all have ended.
    """

    batch: int = 0
    last: Batch | None = None
    spent: float = 0.0
    state: dict[str, Any] = field(default_factory=dict)
    index: int = 0

    def as_tree(self) -> tuple[dict[str, Any], list[str]]:
        """Return it as plain data, and the metrics that are none."""
        shown, left_out = None, []
        if self.last is not None:
            logs, left_out = copy_savable(dict(self.last.logs or {}), "metrics")
            shown = (self.last.done, self.last.total, logs)
        tree = {"batch": self.batch, "last": shown, "spent": self.spent, "state": self.state}
        return tree, left_out

    @classmethod
    def of_tree(cls, tree: dict[str, Any], index: int) -> "Place":
        """Make it of plain data; the number of the stage stands beside them."""
        last = None
        if tree["last"] is not None:
            done, total, logs = tree["last"]
            last = Batch(as_number(done), None if total is None else as_number(total), dict(logs))
        spent = as_number(tree["spent"], least=0)
        return cls(as_count(tree["batch"]), last, spent, dict(tree["state"]), index)


@dataclass(slots=True)
class Backup:
    """A run between two units.

    Attributes
    ----------
    run
        What tells the run from any other, see `signature`.
    place
        Where the run is.
    elapsed
        Seconds that the run has taken.
    state, tracker
        State dicts of the stages' state and of the progress.
    records
        How the stages before went, a dict each.
    callbacks
        Name of the class and state of each callback that has one.
    tuned
        For each stage, parameters that were changed while the run went on.
    left_out
        What of the stage's own state is no plain data.
    saved
        What stages name as `Stage.saved`, by the stage's name, encoded.
    pickled
        Whether there may be pickled objects in it: then the states of the stage and
        of callbacks, and that of the run, are encoded too.
    """

    run: dict[str, Any]
    place: Place
    elapsed: float
    state: dict[str, Any]
    tracker: dict[str, Any]
    records: list[dict[str, Any]]
    callbacks: list[tuple[str, dict[str, Any]]]
    tuned: list[dict[str, Any]]
    left_out: list[str] = field(default_factory=list)
    saved: dict[str, Any] = field(default_factory=dict)
    pickled: bool = False

    def as_tree(self) -> tuple[dict[str, Any], list[str]]:
        """Return it as plain data, and what of the callbacks' states and of the metrics is none."""
        tree = {name: getattr(self, name) for name in self.__slots__}
        tree["index"] = self.place.index
        tree["place"], left_out = self.place.as_tree()
        tree["callbacks"] = []
        for name, state in self.callbacks:
            saved, lacking = copy_savable(state, f"callback {name}: state")
            tree["callbacks"].append((name, saved))
            left_out += lacking
        return tree, left_out

    @classmethod
    def of_tree(cls, tree: dict[str, Any], path: str | os.PathLike[str]) -> "Backup":
        """Make it of plain data; a `BackupError` where that makes no sense."""
        with refusing(path):
            told = checked(tree, _BackupTree)
            parts: dict[str, Any] = {name: getattr(told, name) for name in cls.__slots__}
            parts["place"] = Place.of_tree(told.place, told.index)
            return cls(**parts)

    def check(self, run: Mapping[str, Any], path: str | os.PathLike[str]) -> None:
        """See that this is a backup of the run that is about to begin.

        Raises
        ------
        BackupError
            If it is one of another problem, other stages or parameters, another
            seed or another time limit.
        """
        with refusing(path):
            difference = _difference(self.run, run)
            if difference is None and not 0 <= self.place.index <= len(run["stages"]):
                raise ValueError(f"no stage {self.place.index}")
        if difference is not None:
            raise BackupError(
                path,
                f"it is of another run: {difference}; delete it or choose another folder to begin "
                "anew",
            )


class _BackupTree(msgspec.Struct, forbid_unknown_fields=True):
    """What a backup's plain data are; the rest is checked by those whose state it is."""

    run: dict[str, Any]
    index: Annotated[int, msgspec.Meta(ge=0)]
    place: dict[str, Any]
    elapsed: Annotated[float, msgspec.Meta(ge=0)]
    state: Any
    tracker: dict[str, Any]
    records: list[dict[str, Any]]
    callbacks: list[tuple[str, Any]]
    tuned: list[dict[str, Any]]
    left_out: list[str] = []
    saved: dict[str, Any] = {}
    pickled: bool = False


def senseless(path: str | os.PathLike[str] | None, error: BaseException) -> BackupError:
    """Return the error for a backup that made code raise another one."""
    return BackupError(path, f"its contents make no sense ({error!r:.200})")


@contextmanager
def refusing(path: str | os.PathLike[str] | None) -> Iterator[None]:
    """Turn what a senseless backup makes code raise into a `BackupError`."""
    try:
        yield
    except BackupError:
        raise
    except SENSELESS as error:
        raise senseless(path, error) from error


def signature(
    stages: Sequence[Stage],
    problem: Any,
    seed: int,
    time_limit: float | None,
    goal: str = MIN,
) -> dict[str, Any]:
    """Return what tells a run from any other: problem, stages, seed and budgets."""
    return {
        "problem": _identify(stages, problem),
        "seed": int(seed),
        "time_limit": time_limit,
        "goal": goal,
        "stages": [
            {
                "name": stage.name,
                "class": f"{type(stage).__module__}.{type(stage).__qualname__}",
                "parameters": parameters(stage),
            }
            for stage in stages
        ],
    }


def parameters(stage: Stage) -> dict[str, Any]:
    """Return a stage's parameters as plain data, those left out that have no part in its work."""
    try:
        known = stage.get_params()
    except AttributeError:
        # A stage that keeps no attribute for a parameter runs all the same.
        return {}
    return {name: _readable(value) for name, value in known.items() if name not in stage.incidental}


def _readable(value: Any) -> Any:
    try:
        return copy_plain(value)
    except TypeError:
        # Without addresses, which differ from one process to the next.
        try:
            text = repr(value)
        except Exception:
            text = f"<{type(value).__qualname__}>"
        return re.sub(r" at 0x[0-9a-f]+", "", text)


def _identify(stages: Sequence[Stage], problem: Any) -> str | None:
    for stage in stages:
        identity = stage.identify(problem)
        if identity is not None:
            return identity
    return hashlib.sha256(repr(_readable(problem)).encode()).hexdigest()


def _difference(saved: Mapping[str, Any], run: Mapping[str, Any]) -> str | None:
    """Say in what two runs differ; None if they are the same."""
    names = [[stage["name"] for stage in one["stages"]] for one in (saved, run)]
    if names[0] != names[1]:
        return f"its stages are {', '.join(names[0])}, not {', '.join(names[1])}"
    for old, new in zip(saved["stages"], run["stages"], strict=True):
        if _class_name(old["class"]) != _class_name(new["class"]):
            return f"its stage {new['name']!r} is a {old['class']}, not a {new['class']}"
        for name in {**old["parameters"], **new["parameters"]}:
            values = [one["parameters"].get(name) for one in (old, new)]
            if _text(values[0]) != _text(values[1]):
                return f"its {new['name']}.{name} is {values[0]!r:.80}, not {values[1]!r:.80}"
    if saved["problem"] != run["problem"]:
        return "its problem is another one"
    for name, word in (("seed", "seed"), ("time_limit", "time limit")):
        if saved[name] != run[name]:
            return f"its {word} is {saved[name]}, not {run[name]}"
    # A backup of before pipelines had a goal has none.
    if saved.get("goal", MIN) != run["goal"]:
        return f"its goal is {saved.get('goal', MIN)!r}, not {run['goal']!r}"
    return None


def _class_name(path: str) -> str:
    """Return what tells a class from others; of the package's own without the module."""
    # A backup may have been made before a module moved.
    package = __name__.split(".")[0] + "."
    return package + path.rpartition(".")[2] if path.startswith(package) else path


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    # In an order of its own: that of a set differs from one process to the next.
    if isinstance(value, set | frozenset):
        return f"{{{', '.join(sorted(map(_text, value)))}}}"
    if isinstance(value, dict):
        return f"{{{', '.join(sorted(f'{_text(k)}: {_text(v)}' for k, v in value.items()))}}}"
    if isinstance(value, np.ndarray):
        digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()
        return f"{value.dtype.str} {value.shape} {digest}"
    return repr(value)
